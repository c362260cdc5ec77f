<?php
// One request to the shim: boots the plugin as osTicket does, then osTicket's API or what an agent does in the staff panel.

require __DIR__ . '/core.php';
require __DIR__ . '/models.php';
require getenv('SHIM_PLUGIN') . '/crossdesk.php';

class ShimConfig {
    public array $config;
    public array $defaults = ['message_autoresponder_collabs' => 1];

    public function __construct() {
        $this->config = ['message_autoresponder' => (object) ['value' => 1]];
    }
}

$path = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/shim/config') {
    answer(200, json_encode((object) (new CrossdeskConfig())->save(json_decode(file_get_contents('php://input'), true))), 'application/json');
}
if ($path === '/shim/sql') {
    answer(200, json_encode(sql(file_get_contents('php://input'))), 'application/json');
}

(new CrossdeskPlugin())->bootstrap();
$cfg = new ShimConfig();

if ($path === '/api/tasks/cron') {
    $data = ['autocron' => false];
    Signal::send('cron', null, $data);
    answer(200, 'Completed');
}
if (preg_match('~^/api/tickets\.(json|email)$~', $path, $found)) {
    require __DIR__ . '/stock.php';
    stock_api($found[1], file_get_contents('php://input'));
}
if (str_starts_with($path, '/api/')) {
    $dispatcher = new Dispatcher();
    Signal::send('api', $dispatcher);
    $dispatcher->resolve(substr($path, 4));
}

if ($_SERVER['REQUEST_METHOD'] === 'GET' && $path === '/scp/tickets.php' || str_starts_with($path, '/scp/ajax.php/crossdesk/')) {
    require __DIR__ . '/staff.php';
    staff_pages($path);
}

// The staff panel, without login, tokens and pages: what an agent's browser posts, and what osTicket does with it.
$staff = ['staffId' => 1, 'poster' => 'Ada Agent'];
$files = array_map(
    static fn ($name, $type, $data) => ['name' => $name, 'type' => $type, 'data' => base64_decode($data)],
    $_POST['file_names'] ?? [], $_POST['file_types'] ?? [], $_POST['file_data'] ?? []
);
if ($path === '/scp/tickets.php') {
    $ticket = Ticket::lookup((int) $_POST['id']);
    match ($_POST['a']) {
        'reply' => Banlist::isBanned($ticket->address())
            ? answer(200, 'Email is in banlist. Must be removed to reply.')
            : $ticket->postReply($staff + ['response' => new HtmlThreadEntryBody($_POST['response']), 'attachments' => $files], $_POST['reply-to'] !== 'none'),
        'postnote' => $ticket->postNote($staff + ['note' => new HtmlThreadEntryBody($_POST['note'])], $errors, 'Ada Agent', true),
    };
    answer(302, '');
}
if (preg_match('~^/scp/ajax.php/tickets/(\d+)/thread/(\d+)/edit_resend$~', $path, $found)) {
    $old = sql('SELECT * FROM ost_thread_entry WHERE id = ?', $found[2])[0];
    $new = ThreadEntry::add($old['thread_id'], $old['type'], $staff + ['response' => new HtmlThreadEntryBody($_POST['body']), 'pid' => $old['id']]);
    sql('UPDATE ost_thread_entry SET flags = flags | 2, created = ? WHERE id = ?', $old['created'], $new->getId());
    sql('UPDATE ost_thread_entry SET flags = flags | 4 WHERE id = ?', $old['id']);
    sql('UPDATE ost_attachment SET object_id = ? WHERE object_id = ? AND type = \'H\'', $new->getId(), $old['id']);
    if ($_POST['commit'] === 'resend') {
        sql('INSERT INTO ost_mail (kind, address) VALUES (\'resend\', ?)', Ticket::lookup((int) $found[1])->address());
    }
    answer(201, '{}');
}
if (preg_match('~^/scp/ajax.php/tickets/(\d+)/(status|merge|assign)$~', $path, $found)) {
    $ticket = Ticket::lookup((int) $found[1]);
    $errors = [];
    match (true) {
        $found[2] === 'merge' => $ticket->mergeInto(Ticket::lookup((int) $_POST['into'])),
        $found[2] === 'assign' => $ticket->assignToStaff((int) $_POST['staff'], '', true),
        (int) $_POST['status_id'] === 5 => $ticket->delete(),
        default => $ticket->setStatus((int) $_POST['status_id'], '', $errors),
    };
    answer($errors ? 200 : 201, $errors['err'] ?? '');
}
if (preg_match('~^/scp/ajax.php/tickets/(\d+)/field/(\w+)/edit$~', $path, $found)) {
    DynamicFormEntryAnswer::edit((int) $found[1], $found[2], $_POST['value'], 'ada');
    answer(201, '');
}
answer(404, 'Not Found');
