<?php
// php -d phar.readonly=0 build-phar.php FOLDER FILE: the plugin's folder as one file. osTicket reads plugin.php from it by itself.
[, $folder, $file] = $argv;
$phar = new Phar($file, 0, 'crossdesk.phar');
$phar->setSignatureAlgorithm(Phar::SHA256);
$phar->buildFromDirectory($folder, '/\.(php|js|json)$/');
$phar->setStub('<?php __HALT_COMPILER();');
