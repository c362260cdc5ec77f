<?php
namespace Crossdesk;

/**
 * Mends what an agent posts before osTicket reads it: emoji become short codes (osTicket would drop them), and a reply to a customer who
 * came through the bridge is stored without being mailed to an address that does not exist.
 */
final class Posted {
    public function __construct(private readonly Database $database, private readonly Journal $journal) {
    }

    public function mend(): void {
        if (($_SERVER['REQUEST_METHOD'] ?? '') !== 'POST' || !$_POST) {
            return;
        }
        try {
            $this->mendReply();
            $this->mendEdit();
        } catch (\Throwable $problem) {
            error_log('Crossdesk: ' . $problem->getMessage()); // Whatever ails us, the agent's reply must not be lost.
        }
    }

    private function mendReply(): void {
        $action = $_POST['a'] ?? '';
        $ticket = (int) ($_POST['id'] ?? $_GET['id'] ?? 0);
        if (!in_array($action, ['reply', 'postnote'], true) || $ticket === 0 || !$this->journal->isOurs($ticket)) {
            return;
        }
        foreach (['response', 'note', 'title'] as $field) {
            if (is_string($_POST[$field] ?? null)) {
                $_POST[$field] = Emoji::encode($_POST[$field]);
            }
        }
        if ($action === 'reply' && $this->isMailPointless($ticket, (array) ($_POST['ccs'] ?? []))) {
            $_POST['reply-to'] = 'none';
        }
    }

    /** "Edit" and "Edit and Resend" of an entry: ajax.php/tickets/<ticket>/thread/<entry>/<action>. */
    private function mendEdit(): void {
        $path = (string) ($_SERVER['REQUEST_URI'] ?? '');
        if (!is_string($_POST['body'] ?? null) || !preg_match('~/tickets/([0-9]+)/thread/[0-9]+/(edit|edit_resend)\b~', $path, $found)) {
            return;
        }
        $ticket = (int) $found[1];
        if ($this->journal->isOurs($ticket)) {
            $_POST['body'] = Emoji::encode($_POST['body']);
            if (($_POST['commit'] ?? '') === 'resend' && $this->isMailPointless($ticket, [])) {
                $_POST['commit'] = 'save';
            }
        }
    }

    /** Whether nobody with a real address would get it: the owner has none, and nobody else is chosen or known to have one. */
    private function isMailPointless(int $ticket, array $copies): bool {
        $owner = (string) $this->database->value(
            'SELECT m.address FROM {ticket} t JOIN {user} u ON u.id = t.user_id JOIN {user_email} m ON m.id = u.default_email_id WHERE t.ticket_id = ?',
            [$ticket]
        );
        $ids = array_filter(array_map('intval', $copies));
        $others = !$ids ? [] : array_column($this->database->rows(
            'SELECT m.address FROM {user} u JOIN {user_email} m ON m.id = u.default_email_id WHERE u.id IN (' . implode(',', $ids) . ')'
        ), 'address');
        foreach ([$owner, ...$others] as $address) {
            if (!str_ends_with(strtolower($address), '@' . Reader::DOMAIN)) {
                return false;
            }
        }
        return true;
    }
}
