<?php // Everything is in core.php.
