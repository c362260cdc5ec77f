<?php
// What osTicket asks a plugin's folder (or phar) first.
return [
    'id' => 'crossdesk:bridge',
    'version' => '0.1.0',
    'ost_version' => '1.17',
    'name' => 'Crossdesk',
    'author' => 'Crossdesk',
    'description' => 'Brings social messages into tickets, and agents\' replies back to where the customer wrote.',
    'url' => 'https://crossdesk.example/',
    'plugin' => 'crossdesk.php:CrossdeskPlugin',
];
