<?php
namespace Crossdesk;

/** Reads tickets, entries and files for the bridge, by SQL. Changes nothing. */
final class Reader {
    /** Domain of addresses that reach nobody (RFC 2606), for customers without mail, and of the bridge's message ids. */
    public const DOMAIN = 'crossdesk.invalid';
    private const MOST = 200;
    private const MERGED = 0x1 | 0x2;
    private const HIDDEN = 0x4;

    public function __construct(private readonly Database $database, private readonly Fields $fields) {
    }

    /** The ticket's row with names, or null when it is not there. */
    public function row(int $ticket): ?array {
        return $this->database->row(
            'SELECT t.ticket_id, t.ticket_pid, t.number, t.flags, t.user_id, s.name AS status, s.state, st.username AS owner, d.name AS dept,
                    m.address AS email, v.value AS title, w.username AS answering
             FROM {ticket} t
             LEFT JOIN {ticket_status} s ON s.id = t.status_id
             LEFT JOIN {staff} st ON st.staff_id = t.staff_id
             LEFT JOIN {lock} k ON k.lock_id = t.lock_id AND k.expire > NOW()
             LEFT JOIN {staff} w ON w.staff_id = k.staff_id
             LEFT JOIN {department} d ON d.id = t.dept_id
             LEFT JOIN {user} u ON u.id = t.user_id
             LEFT JOIN {user_email} m ON m.id = u.default_email_id
             LEFT JOIN ({form_entry} e JOIN {form_field} f ON f.form_id = e.form_id AND f.name = \'subject\'
                        JOIN {form_entry_values} v ON v.entry_id = e.id AND v.field_id = f.id)
               ON e.object_type = \'T\' AND e.object_id = t.ticket_id
             WHERE t.ticket_id = ? LIMIT 1',
            [$ticket]
        );
    }

    /** Where what is said to this ticket must go now: itself, what it was merged into, or null when it is deleted. */
    public function live(int $ticket): ?int {
        for ($hops = 0; $hops < 20; $hops++) {
            $row = $this->row($ticket);
            if ($row === null || $row['state'] === 'deleted') {
                $extra = $this->database->value('SELECT extra FROM {thread} WHERE object_type = \'C\' AND object_id = ?', [$ticket]);
                $into = (int) (json_decode((string) $extra, true)['ticket_id'] ?? 0);
                if ($into === 0 || $into === $ticket) {
                    return null;
                }
                $ticket = $into;
            } elseif ($row['ticket_pid'] && ((int) $row['flags'] & self::MERGED)) {
                $ticket = (int) $row['ticket_pid'];
            } else {
                return $ticket;
            }
        }
        return null;
    }

    /** The customer of a ticket itself, wherever it was merged; empty when its row is gone. */
    public function customerOf(int $ticket): string {
        return (string) ($this->row($ticket)['user_id'] ?? '');
    }

    /** The ticket's state as the contract has it; `live` null and mostly empty when it is deleted. `$names`: osTicket's fields to tell. */
    public function state(int $ticket, array $names = []): array {
        $live = $this->live($ticket);
        $row = $live === null ? null : $this->row($live);
        return [
            'ticket' => (string) $ticket,
            'live' => $live === null ? null : (string) $live,
            'number' => (string) ($row['number'] ?? ''),
            'title' => (string) ($row['title'] ?? ''),
            'status' => (string) ($row['status'] ?? 'deleted'),
            'is_closed' => ($row['state'] ?? 'closed') !== 'open',
            'owner' => (string) ($row['owner'] ?? ''),
            'group' => (string) ($row['dept'] ?? ''),
            'answering' => (string) ($row['answering'] ?? ''),
            'fields' => (object) ($live === null ? [] : $this->fields->all($live, $names)),
        ];
    }

    /** Who changed the field of commands last, and their teams and department; null where osTicket does not tell. */
    public function presser(int $ticket): ?array {
        $row = $this->database->row(
            'SELECT s.staff_id, s.username FROM {thread_event} e JOIN {thread} t ON t.id = e.thread_id JOIN {staff} s ON s.username = e.username
             WHERE t.object_type = \'T\' AND t.object_id = ? AND e.data LIKE ? ORDER BY e.id DESC LIMIT 1',
            [$ticket, '%"fields":{"' . $this->fields->command() . '":%']
        );
        if ($row === null) {
            return null;
        }
        $teams = $this->database->rows(
            'SELECT t.name FROM {team} t JOIN {team_member} m ON m.team_id = t.team_id WHERE m.staff_id = ? LIMIT 49',
            [(int) $row['staff_id']]
        );
        $staff = \Staff::lookup((int) $row['staff_id']);
        $department = $staff ? $staff->getDept() : null;
        return [
            'agent' => (string) $row['username'],
            'name' => $staff ? (string) $staff->getName() : '',
            'groups' => [...array_column($teams, 'name'), ...($department ? [(string) $department->getName()] : [])],
        ];
    }

    public function threadOf(int $ticket): ?int {
        $found = $this->database->value('SELECT id FROM {thread} WHERE object_type = \'T\' AND object_id = ?', [$ticket]);
        return $found === null ? null : (int) $found;
    }

    /** Entries of a live ticket after an entry, oldest first, as the contract has them, and whether there are more. */
    public function entries(int $ticket, int $after): array {
        $rows = $this->database->rows(
            'SELECT n.id, n.pid, s.username, n.type, n.staff_id, n.user_id, n.poster, n.source, n.flags, n.format, n.body,
                    UNIX_TIMESTAMP(n.created) AS at,
                    (SELECT p.type FROM {thread_entry} p WHERE p.id = n.pid) AS parent_type,
                    (SELECT mid FROM {thread_entry_email} m WHERE m.thread_entry_id = n.id ORDER BY m.id LIMIT 1) AS mid
             FROM {thread_entry} n JOIN {thread} t ON t.id = n.thread_id LEFT JOIN {staff} s ON s.staff_id = n.staff_id
             WHERE t.object_type = \'T\' AND t.object_id = ? AND n.id > ? ORDER BY n.id LIMIT ' . self::MOST,
            [$ticket, $after]
        );
        $files = $this->filesOf(array_map('intval', array_column($rows, 'id')));
        $entries = array_map(fn (array $row): array => $this->entry($row, $files[(int) $row['id']] ?? []), $rows);
        return ['entries' => $entries, 'has_more' => count($rows) === self::MOST];
    }

    /** The entry with this marker in a ticket's thread, or null. */
    public function entryOf(int $ticket, string $marker): ?int {
        $found = $this->database->value(
            'SELECT n.id FROM {thread_entry} n JOIN {thread} t ON t.id = n.thread_id
             LEFT JOIN {thread_entry_email} m ON m.thread_entry_id = n.id
             WHERE t.object_type = \'T\' AND t.object_id = ? AND (n.source = ? OR m.mid = ?) ORDER BY n.id LIMIT 1',
            [$ticket, self::source($marker), self::messageId($marker)]
        );
        return $found === null ? null : (int) $found;
    }

    /** The ticket in whose thread a message with this marker's id stands (one that came by the e-mail route), or null. */
    public function ticketByMessageId(string $marker): ?int {
        $found = $this->database->value(
            'SELECT t.object_id FROM {thread_entry_email} m JOIN {thread_entry} n ON n.id = m.thread_entry_id
             JOIN {thread} t ON t.id = n.thread_id WHERE m.mid = ? AND t.object_type = \'T\' LIMIT 1',
            [self::messageId($marker)]
        );
        return $found === null ? null : (int) $found;
    }

    public function ticketByNumber(string $number): ?int {
        $found = $this->database->rows('SELECT ticket_id FROM {ticket} WHERE number = ? LIMIT 2', [$number]);
        return count($found) === 1 ? (int) $found[0]['ticket_id'] : null;
    }

    /** An attachment's ticket and file, or null. @return array{ticket: int, file: int, name: string, type: string}|null */
    public function attachment(int $id): ?array {
        $row = $this->database->row(
            'SELECT t.object_id AS ticket, a.file_id, COALESCE(NULLIF(a.name, \'\'), f.name) AS name, f.type, f.size
             FROM {attachment} a JOIN {thread_entry} n ON n.id = a.object_id JOIN {thread} t ON t.id = n.thread_id
             JOIN {file} f ON f.id = a.file_id WHERE a.id = ? AND a.type = \'H\' AND t.object_type = \'T\'',
            [$id]
        );
        return $row === null ? null : [
            'ticket' => (int) $row['ticket'],
            'file' => (int) $row['file_id'],
            'name' => (string) $row['name'],
            'type' => (string) $row['type'],
            'size' => (int) $row['size'],
        ];
    }

    public static function source(string $marker): string {
        return "cd:$marker";
    }

    public static function messageId(string $marker): string {
        return "<$marker@" . self::DOMAIN . '>';
    }

    private function entry(array $row, array $files): array {
        $body = (string) $row['body'];
        if ($body === '') {
            // osTicket keeps a body beyond 65,000 characters as a file.
            foreach ($files as $at => $file) {
                if ($file['inline'] && preg_match('/^[0-9a-f]{32}\.txt$/D', $file['name'])) {
                    $stored = \AttachmentFile::lookup($file['file']);
                    $body = $stored ? (string) $stored->getData() : '';
                    unset($files[$at]);
                    break;
                }
            }
        }
        $flags = (int) $row['flags'];
        return [
            'entry' => (string) $row['id'],
            'parent' => (string) ($row['pid'] ?: ''),
            'kind' => ['M' => 'message', 'R' => 'reply', 'N' => 'note'][$row['type']] ?? 'note',
            'is_hidden' => (bool) ($flags & self::HIDDEN),
            // An edited reply is a new entry below the old one; a reply proper stands below a message.
            'is_edit' => $row['type'] === 'R' && $row['parent_type'] === 'R',
            'author' => match (true) {
                $this->marker($row) !== null => 'bridge',
                (int) $row['staff_id'] > 0 => 'agent',
                (int) $row['user_id'] > 0 => 'customer',
                default => 'system',
            },
            'poster' => (string) $row['poster'],
            'agent' => (string) $row['username'],
            'format' => $row['format'] === 'html' ? 'html' : 'text',
            'body' => $body,
            'at' => (int) $row['at'],
            'marker' => $this->marker($row),
            'files' => array_values(array_map(
                static fn (array $file): array => ['file' => (string) $file['id'], 'name' => $file['name'], 'type' => $file['type'], 'size' => $file['size']],
                $files
            )),
        ];
    }

    private function marker(array $row): ?string {
        $carried = $row['source'] . ' ' . $row['mid'];
        return preg_match('/(?:^cd:|<)([0-9a-z]{26})(?: |$|@' . preg_quote(self::DOMAIN, '/') . '>)/', $carried, $found) ? $found[1] : null;
    }

    /** @param int[] $entries @return array<int, array> */
    private function filesOf(array $entries): array {
        if (!$entries) {
            return [];
        }
        $rows = $this->database->rows(
            'SELECT a.id, a.object_id, a.inline, a.file_id, COALESCE(NULLIF(a.name, \'\'), f.name) AS name, f.type, f.size
             FROM {attachment} a JOIN {file} f ON f.id = a.file_id
             WHERE a.type = \'H\' AND a.object_id IN (' . implode(',', $entries) . ') ORDER BY a.id'
        );
        $found = [];
        foreach ($rows as $row) {
            $found[(int) $row['object_id']][] = [
                'id' => (int) $row['id'],
                'file' => (int) $row['file_id'],
                'inline' => (bool) (int) $row['inline'],
                'name' => (string) $row['name'],
                'type' => (string) $row['type'],
                'size' => (int) $row['size'],
            ];
        }
        return $found;
    }
}
