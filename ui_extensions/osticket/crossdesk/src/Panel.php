<?php
namespace Crossdesk;

/**
 * The panel on the ticket page of osTicket's staff panel, and the routes below `scp/ajax.php/crossdesk/` that it asks.
 *
 * osTicket's own session says who asks, and its own rights whether they may. osTicket looks for its token only in posted forms: here it is asked for
 * in the header, of everything that does something.
 */
final class Panel {
    private const ASSETS = [
        'cd-panel.js' => 'text/javascript; charset=utf-8',
        'ticket.js' => 'text/javascript; charset=utf-8',
        'locales/en.json' => 'application/json',
        'locales/de.json' => 'application/json',
    ];

    public function __construct(private readonly Relay $relay, private readonly Journal $journal, private readonly Database $database) {
    }

    /** Draws the panel's place where osTicket shows a ticket of ours to an agent; nothing anywhere else. */
    public function show(mixed $object): void {
        global $thisstaff;
        if (!defined('OSTSCPINC') || !$thisstaff || !$object instanceof \Ticket || !$this->journal->isOurs((int) $object->getId())) {
            return;
        }
        $base = ROOT_PATH . 'scp/ajax.php/crossdesk';
        $told = ['src' => "$base/panel/" . (int) $object->getId(), 'media' => $base, 'locales' => "$base/assets/locales/", 'root' => ROOT_PATH];
        $data = '';
        foreach ($told as $name => $value) {
            $data .= " data-$name=\"" . htmlspecialchars($value, ENT_QUOTES, 'UTF-8') . '"';
        }
        $version = substr(hash('sha256', self::asset('cd-panel.js') . self::asset('ticket.js')), 0, 12);
        echo "<div class=\"crossdesk-panel-place\"$data></div>";
        foreach (['cd-panel.js', 'ticket.js'] as $name) {
            echo '<script src="', htmlspecialchars("$base/assets/$name?$version", ENT_QUOTES, 'UTF-8'), '"></script>';
        }
    }

    /** Adds the routes to osTicket's dispatcher. */
    public function route(object $dispatcher): void {
        $dispatcher->append(url_get('^/crossdesk/assets/([a-z/-]+\.(?:js|json))$', fn ($name) => $this->sendAsset((string) $name)));
        $dispatcher->append(url_get('^/crossdesk/panel/-/((?:file/[0-9]+|avatar)/[0-9]+)$', fn ($path) => $this->sendPicture((string) $path)));
        $dispatcher->append(url_get('^/crossdesk/panel/([0-9]+)$', fn ($id) => $this->pass('GET', (int) $id, '')));
        $dispatcher->append(url_get('^/crossdesk/panel/([0-9]+)/page$', fn ($id) => $this->open((int) $id)));
        $dispatcher->append(url_post('^/crossdesk/panel/([0-9]+)(/preflight|/actions/[a-z_]{1,40})$', fn ($id, $rest) => $this->pass('POST', (int) $id, (string) $rest)));
    }

    private function pass(string $method, int $id, string $rest): never {
        global $ost;
        if ($method === 'POST' && !$ost->checkCSRFToken()) {
            $this->refuse(403, 'forbidden', 'This did not come from a page of this osTicket, or the page is old. Nothing was done; load the ticket again.');
        }
        $agent = $this->agentAt($id, $method === 'POST' ? 'ticket.reply' : null);
        $body = $method === 'POST' ? (string) file_get_contents('php://input') : '';
        $this->release();
        $this->send(...$this->relay->ask($method, "/panel/{$this->relay->helpdesk}/$id$rest" . self::query(), $body, $agent));
    }

    private function open(int $id): never {
        $this->send(302, ['Location: ' . $this->relay->link((string) $id, $this->agentAt($id, null), time()), 'Referrer-Policy: no-referrer'], '');
    }

    private function sendPicture(string $path): never {
        $this->release();
        $this->send(...$this->relay->ask('GET', "/panel/-/$path" . self::query(), '', null));
    }

    private function sendAsset(string $name): never {
        $type = self::ASSETS[$name] ?? $this->refuse(404, 'unknown', 'There is no such file.');
        $this->send(200, ["Content-Type: $type", 'Cache-Control: private, max-age=86400', 'X-Content-Type-Options: nosniff'], self::asset($name));
    }

    /** Who asks, as the bridge is told, if they may read (or reply to) this ticket, and it is ours. */
    private function agentAt(int $id, ?string $permission): array {
        global $thisstaff;
        $ticket = \Ticket::lookup($id);
        if (!$thisstaff || !$ticket || !$ticket->checkStaffPerm($thisstaff) || !$this->journal->isOurs($id)) {
            $this->refuse(404, 'unknown_ticket', 'This ticket has nothing to do with a social channel.');
        }
        if ($permission !== null && !$ticket->checkStaffPerm($thisstaff, $permission)) {
            $this->refuse(403, 'forbidden', 'You may not reply to this ticket. Nothing was done.');
        }
        $teams = $this->database->rows(
            'SELECT t.name FROM {team} t JOIN {team_member} m ON m.team_id = t.team_id WHERE m.staff_id = ? LIMIT 49',
            [(int) $thisstaff->getId()]
        );
        $department = $thisstaff->getDept();
        return [
            'id' => (string) $thisstaff->getId(),
            'login' => mb_substr((string) $thisstaff->getUserName(), 0, 200),
            'name' => mb_substr((string) $thisstaff->getName(), 0, 200),
            'role' => $thisstaff->isAdmin() ? 'admin' : ($thisstaff->isManager($ticket->getDept()) ? 'supervisor' : 'agent'),
            'groups' => [...array_column($teams, 'name'), ...($department ? [(string) $department->getName()] : [])],
        ];
    }

    /** Others of this agent's pages need not wait for the bridge. */
    private function release(): void {
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();
        }
    }

    private static function asset(string $name): string {
        return (string) file_get_contents(dirname(__DIR__) . "/assets/$name");
    }

    private static function query(): string {
        $query = (string) ($_SERVER['QUERY_STRING'] ?? '');
        return preg_match('/^[A-Za-z0-9_.~%&=+-]{1,2000}$/D', $query) ? "?$query" : '';
    }

    private function refuse(int $status, string $code, string $text): never {
        $this->send($status, ['Content-Type: application/json'], json_encode(['error' => ['code' => $code, 'text' => $text]], JSON_THROW_ON_ERROR));
    }

    /** @param string[] $headers */
    private function send(int $status, array $headers, string $content): never {
        while (ob_get_level() > 0) {
            ob_end_clean();
        }
        // PHP's session would have every answer kept nowhere, which pictures need not be.
        array_map(header_remove(...), ['Pragma', 'Expires', 'Cache-Control', 'Content-Type']);
        http_response_code($status);
        array_map(header(...), $headers);
        header('Content-Length: ' . strlen($content));
        echo $content;
        exit;
    }
}
