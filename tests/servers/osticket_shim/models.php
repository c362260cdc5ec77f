<?php
// Tickets, threads, people and files as far as the plugin uses them, with the behaviour that recordings and a real osTicket 1.18 showed:
// entities are decoded before HTML is cleaned, emoji vanish, a child's message lands in its parent, closing wants its required fields.

class HtmlThreadEntryBody {
    public function __construct(private string $body) {
    }

    public function clean() {
        $body = html_entity_decode($this->body, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
        $body = preg_replace('~<(script|style)\b.*?</\1>~is', '', $body);
        $body = preg_replace('~</?(?:script|style|iframe|object)\b[^>]*>~i', '', $body);
        $body = preg_replace('~\son\w+\s*=\s*("[^"]*"|\'[^\']*\')~i', '', $body);
        $body = preg_replace('~&(?!#?\w{1,32};)~', '&amp;', $body);
        $body = preg_replace('~<(?!/?[a-zA-Z])~', '&lt;', $body);
        $body = str_replace('<br>', '<br />', $body);
        return strip_emoji($body) ?: '-';
    }
}

function strip_emoji($text) {
    $ranges = '\x{A9}-\x{AE}\x{2310}-\x{231F}\x{2322}-\x{232F}\x{23E0}-\x{23FF}\x{2702}-\x{27B0}\x{1F300}-\x{1F64F}\x{1F680}-\x{1F6FF}\x{1F910}-\x{1F9FF}';
    $text = preg_replace("/[$ranges]/u", '', $text);
    return preg_replace('/[\x{10000}-\x{10FFFF}]/u', '????', $text);
}

class User {
    private function __construct(private array $row) {
    }

    public static function lookup($id) {
        $rows = sql('SELECT u.id, u.name, m.address FROM ost_user u JOIN ost_user_email m ON m.id = u.default_email_id WHERE u.id = ?', $id);
        return $rows ? new self($rows[0]) : null;
    }

    public static function fromVars($vars) {
        $rows = sql('SELECT user_id FROM ost_user_email WHERE address = ?', $vars['email']);
        if (!$rows) {
            $email = sql('INSERT INTO ost_user_email (user_id, address) VALUES (0, ?)', $vars['email']);
            $id = sql('INSERT INTO ost_user (default_email_id, name) VALUES (?, ?)', $email, strip_tags($vars['name']));
            sql('UPDATE ost_user_email SET user_id = ? WHERE id = ?', $id, $email);
        }
        return self::lookup($id ?? $rows[0]['user_id']);
    }

    public function getId() {
        return (int) $this->row['id'];
    }

    public function getName() {
        return $this->row['name'];
    }

    public function getEmail() {
        return $this->row['address'];
    }
}

class Banlist {
    public static function isBanned($address) {
        return (bool) sql('SELECT 1 FROM ost_ban WHERE address = ?', $address);
    }
}

class AttachmentFile {
    private function __construct(private array $row) {
    }

    public static function lookup($id) {
        // Asked with a string, osTicket searches by hash.
        $rows = is_int($id) ? sql('SELECT * FROM ost_file WHERE id = ?', $id) : [];
        return $rows ? new self($rows[0]) : null;
    }

    public function getData() {
        return $this->row['data'];
    }
}

class Staff {
    private function __construct(private array $row) {
    }

    public static function lookup($id) {
        $rows = sql('SELECT * FROM ost_staff WHERE staff_id = ?', $id);
        return $rows ? new self($rows[0]) : null;
    }

    public function getName() {
        return $this->row['name'];
    }

    public function getDept() {
        return new class() {
            public function getName() {
                return 'Support';
            }
        };
    }
}

class DynamicFormEntryAnswer {
    private function __construct(private array $row) {
    }

    /** As osTicket saves a field that an agent edited in the ticket, and notes it in the thread. */
    public static function edit($ticket, $name, $value, $username) {
        $field = sql('SELECT * FROM ost_form_field WHERE name = ? AND flags & 8192', $name)[0];
        $entry = sql('SELECT * FROM ost_form_entry WHERE object_type = \'T\' AND object_id = ? AND form_id = ?', $ticket, $field['form_id'])[0];
        if ($field['type'] === 'choices') {
            preg_match('/^' . $value . ': (.*?)\r?$/m', json_decode($field['configuration'], true)['choices'], $found);
            $value = json_encode([$value => $found[1]]);
        }
        $old = sql('SELECT value FROM ost_form_entry_values WHERE entry_id = ? AND field_id = ?', $entry['id'], $field['id']);
        sql('INSERT INTO ost_form_entry_values (entry_id, field_id, value) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
            $entry['id'], $field['id'], $value);
        $data = ['dirty' => ['value' => $old[0]['value'] ?? null]];
        Signal::send($old ? 'model.updated' : 'model.created', new self(['field_id' => $field['id']] + ['entry' => $entry]), $data);
        $thread = sql('SELECT id FROM ost_thread WHERE object_type = \'T\' AND object_id = ?', $ticket)[0]['id'];
        $changes = [$old[0]['value'] ?? null, $value];
        sql('INSERT INTO ost_thread_event (thread_id, data, username) VALUES (?, ?, ?)',
            $thread, json_encode($changes + ['fields' => [$field['id'] => $changes]]), $username);
    }

    public function get($name) {
        return $this->row[$name] ?? null;
    }

    public function getEntry() {
        return new self($this->row['entry']);
    }
}

class Lock {
    public function __construct(private array $row) {
    }

    public function getStaffId() {
        return (int) $this->row['staff_id'];
    }

    public function getTime() {
        return max(0, strtotime($this->row['expire']) - time());
    }
}

class ThreadEntry {
    public function __construct(private array $row) {
    }

    public static function add($thread, $type, $vars) {
        $body = $vars[['M' => 'message', 'R' => 'response', 'N' => 'note'][$type]];
        $stored = $body instanceof HtmlThreadEntryBody ? $body->clean() : strip_emoji($body);
        $id = sql(
            'INSERT INTO ost_thread_entry (pid, thread_id, staff_id, user_id, type, poster, source, title, body, format, created)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, \'html\', NOW())',
            $vars['pid'] ?? 0, $thread, $vars['staffId'] ?? 0, $vars['userId'] ?? 0, $type, $vars['poster'] ?? '', $vars['source'] ?? '',
            $vars['title'] ?? null, mb_strlen($stored) >= 65000 ? null : $stored
        );
        $files = $vars['attachments'] ?? [];
        if (mb_strlen($stored) >= 65000) {
            $files[] = ['name' => md5($stored) . '.txt', 'type' => 'text/html', 'data' => $stored, 'inline' => 1];
        }
        foreach ($files as $file) {
            $fid = sql('INSERT INTO ost_file (type, size, name, data) VALUES (?, ?, ?, ?)', $file['type'], strlen($file['data']), $file['name'], $file['data']);
            sql('INSERT INTO ost_attachment (object_id, type, file_id, name, inline) VALUES (?, \'H\', ?, ?, ?)', $id, $fid, $file['name'], $file['inline'] ?? 0);
        }
        if (!empty($vars['mid'])) {
            sql('INSERT INTO ost_thread_entry_email (thread_entry_id, mid) VALUES (?, ?)', $id, $vars['mid']);
        }
        $entry = new self(['id' => $id, 'thread_id' => $thread]);
        Signal::send('threadentry.created', $entry);
        return $entry;
    }

    public function getId() {
        return (int) $this->row['id'];
    }

    public function getThread() {
        return new Thread((int) $this->row['thread_id']);
    }
}

class Thread {
    public function __construct(public int $id) {
    }

    public function getObject() {
        $rows = sql('SELECT object_id FROM ost_thread WHERE id = ? AND object_type = \'T\'', $this->id);
        return $rows ? Ticket::lookup((int) $rows[0]['object_id']) : null;
    }

    public function addResponse($vars, &$errors) {
        $last = sql('SELECT MAX(id) AS id FROM ost_thread_entry WHERE thread_id = ? AND type = \'M\'', $this->id)[0]['id'];
        return ThreadEntry::add($this->id, 'R', $vars + ['pid' => $last ?? 0]);
    }
}

class Ticket {
    private const COMBINED = 0x1;

    private function __construct(private array $row) {
    }

    public static function lookup($id) {
        $rows = sql('SELECT * FROM ost_ticket WHERE ticket_id = ?', $id);
        return $rows ? new self($rows[0]) : null;
    }

    public static function create($vars, &$errors, $origin, $autorespond, $alert) {
        if ($origin !== 'Email' && preg_match('/^[=+@-]/', $vars['subject'])) {
            $errors = ['subject' => 'Content cannot start with the following characters: = - + @'];
            return 0;
        }
        if (Banlist::isBanned($vars['email'])) {
            $errors = ['errno' => 403, 'err' => 'This help desk is for use by authorized users only'];
            return 0;
        }
        $number = str_pad((string) random_int(1, 999999), 6, '0', STR_PAD_LEFT);
        $id = sql('INSERT INTO ost_ticket (number, user_id, dept_id, source) VALUES (?, ?, ?, ?)', $number, $vars['uid'], $vars['deptId'] ?? 1, $vars['source']);
        $ticket = self::lookup($id);
        Signal::send('model.created', $ticket);
        if (getenv('SHIM_CRASH') && file_exists(getenv('SHIM_CRASH'))) {
            unlink(getenv('SHIM_CRASH'));
            exit; // As if the process had been killed between the ticket and its first message.
        }
        sql('INSERT INTO ost_thread (object_id, object_type) VALUES (?, \'T\')', $id);
        $priority = sql('SELECT * FROM ost_ticket_priority WHERE priority_id = ?', $vars['priorityId'] ?? 2)[0];
        $entry = sql('INSERT INTO ost_form_entry (form_id, object_id, object_type, sort) VALUES (2, ?, \'T\', 1)', $id);
        $subject = strip_emoji(strip_tags($vars['subject']));
        sql('INSERT INTO ost_form_entry_values VALUES (?, 1, ?, NULL), (?, 2, ?, ?)', $entry, $subject, $entry, $priority['priority_desc'], $priority['priority_id']);
        sql('INSERT INTO ost_ticket__cdata VALUES (?, ?, ?)', $id, $subject, $priority['priority_id']);
        $ticket->postMessage(['userId' => $vars['uid'], 'title' => $vars['subject']] + $vars, $origin, false);
        if ($autorespond) {
            $ticket->mail('autoresponse');
        }
        return $ticket;
    }

    public function getId() {
        return (int) $this->row['ticket_id'];
    }

    public function getDept() {
        return $this->row['dept_id'];
    }

    /** Agents of the shim may all read all; Bo may not reply. */
    public function checkStaffPerm($staff, $permission = null) {
        return $permission === null || $staff->getId() !== 2;
    }

    public function getPid() {
        return $this->row['ticket_pid'];
    }

    public function getThread() {
        $rows = sql('SELECT id FROM ost_thread WHERE object_id = ? AND object_type = \'T\'', $this->getId());
        return new Thread($rows ? (int) $rows[0]['id'] : sql('INSERT INTO ost_thread (object_id, object_type) VALUES (?, \'T\')', $this->getId()));
    }

    public function isClosed() {
        return sql('SELECT state FROM ost_ticket_status WHERE id = ?', $this->row['status_id'])[0]['state'] === 'closed';
    }

    public function set(array $changes) {
        $dirty = [];
        foreach ($changes as $column => $value) {
            if ((string) $this->row[$column] !== (string) $value) {
                $dirty[$column] = $this->row[$column];
                $this->row[$column] = $value;
                sql("UPDATE ost_ticket SET `$column` = ? WHERE ticket_id = ?", $value, $this->getId());
            }
        }
        if ($dirty) {
            $data = ['dirty' => $dirty];
            Signal::send('model.updated', $this, $data);
        }
        return true;
    }

    public function postMessage($vars, $origin, $alerts) {
        $ticket = $this->getPid() && ((int) $this->row['flags'] & self::COMBINED) ? self::lookup($this->getPid()) : $this;
        $user = User::lookup($vars['userId'] ?? 0);
        $entry = ThreadEntry::add($ticket->getThread()->id, 'M', $vars + ['poster' => $user ? $user->getName() : '']);
        $isAutomatic = $vars['mailflags']['auto-reply'] ?? false;
        if (!$isAutomatic && $ticket->isClosed() && $ticket->row['status_id'] != 3) {
            $ticket->reopen(); // Closed is final here, Resolved is not, as osTicket comes.
        }
        if (!$isAutomatic && $alerts && !empty($GLOBALS['cfg']->config['message_autoresponder']->value)) {
            $ticket->mail('answer');
        }
        if (!$isAutomatic && $alerts && !empty($GLOBALS['cfg']->defaults['message_autoresponder_collabs'])) {
            $ticket->mail('copy');
        }
        return $entry;
    }

    public function postNote($vars, &$errors, $poster, $alert) {
        return ThreadEntry::add($this->getThread()->id, 'N', ['poster' => $poster] + $vars);
    }

    public function postReply($vars, $mails) {
        $entry = $this->getThread()->addResponse($vars, $errors);
        $this->set(['isanswered' => 1] + ($this->row['staff_id'] ? [] : ['staff_id' => $vars['staffId']]));
        if ($mails) {
            $this->mail('reply');
        }
        return $entry;
    }

    public function reopen() {
        return $this->set(['status_id' => 1]);
    }

    public function setStatus($id, $comment, &$errors) {
        $state = sql('SELECT state FROM ost_ticket_status WHERE id = ?', $id)[0]['state'];
        $missing = sql(
            'SELECT 1 FROM ost_form_entry e JOIN ost_form_entry_values v ON v.entry_id = e.id JOIN ost_form_field f ON f.id = v.field_id
             WHERE e.object_type = \'T\' AND e.object_id = ? AND f.flags & 4 AND v.value IS NULL',
            $this->getId()
        );
        if ($state === 'closed' && !$this->isClosed() && $missing) {
            $errors['err'] = 'This ticket is missing data on one or more required fields and cannot be closed';
            return false;
        }
        return $this->set(['status_id' => $id]);
    }

    public function setDeptId($id) {
        return $this->set(['dept_id' => $id]);
    }

    public function assignToStaff($id, $note, $alert) {
        return $this->set(['staff_id' => $id]);
    }

    public function unassign() {
        return $this->set(['staff_id' => 0]);
    }

    public function getLock() {
        $rows = sql('SELECT * FROM ost_lock WHERE lock_id = ? AND expire > NOW()', $this->row['lock_id']);
        return $rows ? new Lock($rows[0]) : null;
    }

    public function acquireLock($staff) {
        $held = $this->getLock();
        if ($held) {
            return $held->getStaffId() === (int) $staff ? $held : null;
        }
        $this->set(['lock_id' => sql('INSERT INTO ost_lock (staff_id, expire, code) VALUES (?, NOW() + INTERVAL 3 MINUTE, \'code\')', $staff)]);
        return $this->getLock();
    }

    public function releaseLock($staff = false) {
        $held = $this->getLock();
        return $held && (!$staff || $held->getStaffId() === (int) $staff) && $this->set(['lock_id' => 0]);
    }

    public function mergeInto(self $parent) {
        $this->set(['ticket_pid' => $parent->getId(), 'flags' => self::COMBINED]);
        sql('UPDATE ost_thread_entry SET thread_id = ? WHERE thread_id = ?', $parent->getThread()->id, $this->getThread()->id);
        $extra = json_encode(['ticket_id' => $parent->getId(), 'number' => $this->row['number']]);
        sql('UPDATE ost_thread SET object_type = \'C\', extra = ? WHERE object_id = ? AND object_type = \'T\'', $extra, $this->getId());
        $this->set(['status_id' => 3]);
    }

    public function delete() {
        sql('DELETE FROM ost_ticket WHERE ticket_id = ?', $this->getId());
        sql('DELETE FROM ost_thread WHERE object_id = ? AND object_type = \'T\'', $this->getId());
        Signal::send('model.deleted', $this);
    }

    public function address() {
        return User::lookup($this->row['user_id'])->getEmail();
    }

    private function mail($kind) {
        sql('INSERT INTO ost_mail (kind, address) VALUES (?, ?)', $kind, $this->address());
    }
}
