<?php
// The staff panel as far as a plugin adds to it: who is signed in, the token against foreign posts, the ticket's page, routes below ajax.php.
// As staff.inc.php and the ticket's page were read and seen to be in osTicket 1.18: the token is looked for only where $_POST has something.

define('OSTSCPINC', true);
define('ROOT_PATH', '/');

class ShimDept {
    public function getName() {
        return 'Support';
    }
}

class ShimStaff {
    public function __construct(private int $id) {
    }

    public function getId() {
        return $this->id;
    }

    public function getUserName() {
        return ['', 'ada', 'bo'][$this->id];
    }

    public function getName() {
        return ['', 'Ada Agent', 'Bo Second'][$this->id];
    }

    public function getDept() {
        return new ShimDept();
    }

    public function isAdmin() {
        return false;
    }

    public function isManager($dept = null) {
        return $this->id === 2;
    }
}

class ShimOst {
    public function checkCSRFToken() {
        return hash_equals('shim-token', (string) ($_POST['__CSRFToken__'] ?? $_SERVER['HTTP_X_CSRFTOKEN'] ?? ''));
    }
}

function staff_pages($path) {
    global $thisstaff, $ost;
    $thisstaff = new ShimStaff((int) ($_COOKIE['staff'] ?? 0) === 2 ? 2 : 1);
    $ost = new ShimOst();
    if ($_POST && !$ost->checkCSRFToken()) {
        answer(400, 'Valid CSRF Token Required');
    }
    if (str_starts_with($path, '/scp/ajax.php/')) {
        $dispatcher = new Dispatcher();
        Signal::send('ajax.scp', $dispatcher);
        $dispatcher->resolve(substr($path, strlen('/scp/ajax.php')));
    }
    $ticket = Ticket::lookup((int) $_GET['id']);
    header("Content-Security-Policy: frame-ancestors 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'");
    ob_start();
    Signal::send('object.view', $ticket);
    $drawn = ob_get_clean();
    answer(200, "<!doctype html><html lang=\"en\"><head><meta name=\"csrf_token\" content=\"shim-token\"><link rel=\"icon\" href=\"data:,\"><title>Ticket</title></head><body>$drawn
        <h1>Ticket #{$ticket->getId()}</h1><form id=\"reply\"><textarea id=\"response\"></textarea></form>
        <form id=\"note\"><textarea id=\"internal_note\"></textarea></form></body></html>");
}
