<?php
namespace Crossdesk;

/**
 * What the bridge does in osTicket, through osTicket's own objects, so that its events, alerts and rules stay in force.
 *
 * Each write is known by a marker and done once: it stands in the entry itself (its source, and its Message-ID), so the database is asked
 * before anything is made. Nobody who came through the bridge is ever mailed.
 */
final class Desk {
    /** The key of the customer in whose name the bridge tries osTicket out. */
    private const TRIAL = 'crossdesk.verification';
    private const MISSING = 'The ticket is not there any more, or was not opened by the bridge.';

    public function __construct(
        private readonly Database $database,
        private readonly Journal $journal,
        private readonly Reader $reader,
        private readonly Fields $fields,
    ) {
    }

    /** The user of a customer, by the key that the bridge made. */
    public function ensureCustomer(Input $customer): int {
        $key = $customer->text('key', 100, false);
        if (!preg_match('/^[a-z0-9][a-z0-9._-]{0,63}$/D', $key)) {
            throw new Refusal(400, 'malformed', 'The customer\'s key cannot stand in an address.');
        }
        $address = $key . '@' . Reader::DOMAIN;
        $name = $customer->text('name', 400) ?: $key;
        return $this->database->alone("customer.$key", function () use ($address, $name): int {
            $user = \User::fromVars(['email' => $address, 'name' => $name]);
            if (!$user) {
                throw new Refusal(422, 'customer', 'osTicket did not make the customer; see its system log.');
            }
            $this->rename($user, $name);
            return (int) $user->getId();
        });
    }

    /** Opens the ticket of a marker, or finishes what an earlier call began. */
    public function open(Input $input): array {
        $marker = $input->marker();
        $customer = $input->has('customer_ref') ? $input->number('customer_ref') : $this->ensureCustomer($input->part('customer'));
        return $this->database->alone("open.$marker", function () use ($input, $marker, $customer): array {
            $losses = [];
            $ticket = $this->journal->ticketOf($marker) ?? $this->reader->ticketByMessageId($marker);
            $wasThere = $ticket !== null;
            if ($ticket === null) {
                $ticket = $this->create($input, $marker, $customer);
            }
            $this->journal->adopt($ticket, $marker);
            $live = $this->reader->live($ticket);
            if ($live === null) {
                throw new Refusal(404, 'gone', self::MISSING);
            }
            $entry = $this->reader->entryOf($live, $marker);
            if ($entry === null) {
                // osTicket was stopped between the ticket and its first message.
                $entry = $this->message($this->ticket($live), $input, $marker, $customer);
            }
            if (!$wasThere || !isset($this->fields->read($ticket)['cd_stage'])) {
                $this->fields->write($ticket, $this->fieldsOf($input));
                $losses = $this->finish($ticket, $input);
            }
            return [
                'ticket' => (string) $ticket,
                'number' => $this->reader->state($ticket)['number'],
                'entry' => (string) $entry,
                'customer' => $this->reader->customerOf($ticket),
                'was_there' => $wasThere,
                'losses' => $losses,
            ];
        });
    }

    /** Adds a message, reply or note to where the ticket is now. */
    public function add(Input $input): array {
        $marker = $input->marker();
        $kind = $input->choice('kind', 'message', 'reply', 'note');
        $live = $this->mustLive($input);
        return $this->database->alone("ticket.$live", function () use ($input, $marker, $kind, $live): array {
            $losses = [];
            $entry = $this->reader->entryOf($live, $marker);
            $wasThere = $entry !== null;
            $ticket = $this->ticket($live);
            if ($entry === null) {
                $entry = match ($kind) {
                    'message' => $this->message($ticket, $input, $marker, $input->number('customer_ref')),
                    'reply' => $this->reply($ticket, $input, $marker),
                    'note' => $this->note($ticket, $input, $marker),
                };
            }
            if ($input->flag('reopen') && $this->reader->state($live)['is_closed'] && !$this->reopen($live)) {
                $losses[] = 'The message was filed, but osTicket left the ticket closed.';
            }
            return ['ticket' => (string) $live, 'entry' => (string) $entry, 'was_there' => $wasThere, 'losses' => $losses];
        });
    }

    /** Changes what is given and differs; what osTicket refuses refuses the call, after the rest was done. */
    public function change(Input $input): array {
        $live = $this->mustLive($input);
        return $this->database->alone("ticket.$live", function () use ($input, $live): array {
            $refused = [];
            $unfilled = null;
            // The stage first: it holds the ticket open, whatever else is refused.
            $this->changeFields($live, $input);
            try {
                $this->fields->set($live, $input->map('fields'));
            } catch (Refusal $refusal) {
                $unfilled = $refusal;
            }
            if ($input->has('group') && $input->text('group') !== $this->reader->state($live)['group']) {
                if (!$this->ticket($live)->setDeptId($this->department($input->text('group')))) {
                    $refused[] = 'department';
                }
            }
            if ($input->has('priority')) {
                $this->setAnswer($live, 'priority', ...$this->priority($input->text('priority')));
            }
            if ($input->has('title')) {
                $this->setAnswer($live, 'subject', null, $input->text('title', 250));
            }
            if ($input->has('status') || $input->has('is_closed')) {
                $problem = $this->setStatus($live, $input);
                $refused = [...$refused, ...($problem === null ? [] : [$problem])];
            }
            if ($input->has('owner') && $input->text('owner') !== $this->reader->state($live)['owner'] && !$this->assign($live, $input->text('owner'))) {
                $refused[] = 'owner';
            }
            if ($refused) {
                throw new Refusal(422, 'refused', 'osTicket did not change the ticket\'s ' . implode(', ', $refused) . '; the rest was changed.');
            }
            if ($unfilled !== null) {
                throw new Refusal(422, 'field', $unfilled->getMessage() . ' The rest was changed.');
            }
            return $this->reader->state($live);
        });
    }

    /** Reads, takes or releases osTicket's own lock. An agent's lock is taken from nobody else unless `force`. */
    public function lock(Input $input): array {
        $action = $input->choice('action', 'read', 'take', 'release');
        $ticket = $this->ticket($this->mustLive($input));
        $staff = $input->text('agent') === '' ? null : $this->staff($input->text('agent'));
        if ($action === 'take') {
            $held = $ticket->getLock();
            if ($staff === null) {
                throw new Refusal(400, 'malformed', 'A lock is taken for an agent; name one.');
            }
            if ($held && (int) $held->getStaffId() !== $staff && $input->flag('force')) {
                $ticket->releaseLock();
            }
            $ticket->acquireLock($staff);
        } elseif ($action === 'release') {
            $ticket->releaseLock($staff ?? false);
        }
        $held = $ticket->getLock();
        $holder = $held ? $this->database->value('SELECT username FROM {staff} WHERE staff_id = ?', [(int) $held->getStaffId()]) : null;
        return ['holder' => (string) $holder, 'seconds' => $held ? (int) $held->getTime() : 0, 'is_yours' => $held && (int) $held->getStaffId() === $staff];
    }

    /** Deletes a ticket of the bridge's own trials, and no other. */
    public function deleteTrial(Input $input): array {
        $ticket = $this->mustLive($input);
        if ($this->reader->row($ticket)['email'] !== self::TRIAL . '@' . Reader::DOMAIN) {
            throw new Refusal(422, 'refused', 'This is no trial ticket of the bridge; nothing was deleted.');
        }
        $this->ticket($ticket)->delete();
        $this->database->change('DELETE FROM {crossdesk_ticket} WHERE ticket_id = ?', [$ticket]);
        return ['ticket' => (string) $ticket];
    }

    /** The live ticket of the call's `ticket`, which must be one of ours. A number (`n123456`) is what the route without plugin knows. */
    public function mustLive(Input $input): int {
        $ref = $input->text('ticket', 40, false);
        $ticket = 0;
        if (preg_match('/^n([0-9A-Za-z-]{1,20}):([0-9a-z]{26})$/D', $ref, $found)) {
            $ticket = $this->reader->ticketByMessageId($found[2]) ?? $this->reader->ticketByNumber($found[1]) ?? 0;
            if ($ticket !== 0 && $this->reader->entryOf($this->reader->live($ticket) ?? 0, $found[2]) !== null) {
                $this->journal->adopt($ticket, $found[2]);
            }
        } elseif (preg_match('/^[0-9]{1,10}$/D', $ref)) {
            $ticket = (int) $ref;
        }
        $live = $ticket !== 0 && $this->journal->isOurs($ticket) ? $this->reader->live($ticket) : null;
        if ($live === null) {
            throw new Refusal(404, 'gone', self::MISSING);
        }
        if ($live !== $ticket) {
            $this->journal->adopt($live, null);
        }
        return $live;
    }

    private function create(Input $input, string $marker, int $customer): int {
        $user = $this->user($customer);
        $vars = [
            'uid' => $customer,
            'email' => (string) $user->getEmail(),
            'name' => (string) $user->getName(),
            'subject' => $input->text('title', 1000, false),
            'source' => 'API',
            'ip' => $_SERVER['REMOTE_ADDR'] ?? '127.0.0.1',
            'autorespond' => false,
            ...$this->said($input, 'message', $marker, $this->former($input)),
        ];
        unset($vars['poster']);
        if ($input->text('group') !== '') {
            $vars['deptId'] = $this->department($input->text('group'));
        }
        if ($input->text('priority') !== '') {
            $vars['priorityId'] = $this->priority($input->text('priority'))[0];
        }
        $errors = [];
        $this->journal->ownCall($marker);
        $ticket = \Ticket::create($vars, $errors, 'API', false, true);
        if (!$ticket) {
            if ((int) ($errors['errno'] ?? 0) === 403) {
                throw new Refusal(422, 'denied', 'A filter of osTicket rejects this ticket; see its system log.');
            }
            $said = implode('; ', array_map(static fn ($one): string => is_array($one) ? implode(', ', $one) : (string) $one, $errors));
            throw new Refusal(422, 'refused', 'osTicket refused the ticket: ' . ($said ?: 'no reason given') . '.');
        }
        return (int) $ticket->getId();
    }

    /** Owner and fields of a new ticket, which stands whether osTicket takes them or not. @return string[] what it did not take */
    private function finish(int $ticket, Input $input): array {
        $losses = [];
        try {
            $this->fields->set($ticket, $input->map('fields'));
        } catch (Refusal $refusal) {
            $losses[] = $refusal->getMessage();
        }
        try {
            if ($input->text('owner') !== '' && !$this->assign($ticket, $input->text('owner'))) {
                $losses[] = 'osTicket did not assign the ticket to ' . $input->text('owner') . '.';
            }
        } catch (Refusal $refusal) {
            $losses[] = $refusal->getMessage();
        }
        return $losses;
    }

    private function message(\Ticket $ticket, Input $input, string $marker, int $customer): int {
        if ($customer !== 0) {
            $this->user($customer);
        }
        $this->muteMailToCustomers();
        $vars = ['userId' => $customer, 'ip' => $_SERVER['REMOTE_ADDR'] ?? '127.0.0.1', ...$this->said($input, 'message', $marker)];
        if (!$input->flag('reopen') && $ticket->isClosed()) {
            // Thanks after the end: what came by itself opens no ticket again and alerts nobody.
            $vars['mailflags'] = ['bounce' => false, 'auto-reply' => true];
        }
        return $this->filed($ticket->postMessage($vars, 'API', true));
    }

    private function reply(\Ticket $ticket, Input $input, string $marker): int {
        $errors = [];
        // Straight into the thread: postReply would mail it.
        $entry = $this->filed($ticket->getThread()->addResponse(['staffId' => 0, ...$this->said($input, 'response', $marker)], $errors));
        $this->database->change('UPDATE {ticket} SET isanswered = 1, lastupdate = NOW() WHERE ticket_id = ?', [(int) $ticket->getId()]);
        return $entry;
    }

    private function note(\Ticket $ticket, Input $input, string $marker): int {
        $errors = [];
        $said = $this->said($input, 'note', $marker);
        return $this->filed($ticket->postNote($said, $errors, $said['poster'], true));
    }

    /** What an entry is made of, for osTicket. `$body` is the name under which it wants the text. */
    private function said(Input $input, string $body, string $marker, string $below = ''): array {
        $article = $input->part('article');
        $files = [];
        foreach ($article->parts('files') as $file) {
            $content = base64_decode($file->text('content', 60_000_000), true);
            if ($content === false) {
                throw new Refusal(400, 'malformed', 'A file\'s content is not base64.');
            }
            $files[] = ['name' => $file->text('name', 400, false), 'type' => $file->text('type', 200), 'data' => $content];
        }
        $said = [
            $body => new \HtmlThreadEntryBody($article->text('html', 1_000_000) . $below),
            'title' => $article->text('title', 250) ?: null,
            'poster' => $article->text('poster', 120),
            'mid' => Reader::messageId($marker),
        ];
        if ($files) {
            $said['attachments'] = $files;
        }
        if ($body !== 'message' || $input->has('kind')) {
            // The first message of a ticket shares its source with the ticket, where osTicket allows a few words only.
            $said['source'] = Reader::source($marker);
        }
        return array_filter($said, static fn ($one): bool => $one !== null && $one !== '');
    }

    /** A line on the ticket that the new one continues. */
    private function former(Input $input): string {
        $ticket = $input->has('follows') ? $input->number('follows') : 0;
        $row = $ticket !== 0 && $this->journal->isOurs($ticket) ? $this->reader->row($ticket) : null;
        return $row === null ? '' : sprintf('<p>Continues <a href="tickets.php?id=%d">ticket #%s</a>.</p>', $ticket, htmlspecialchars($row['number']));
    }

    private function filed(mixed $entry): int {
        if (!$entry instanceof \ThreadEntry) {
            throw new Refusal(422, 'refused', 'osTicket did not take the entry; see its system log.');
        }
        return (int) $entry->getId();
    }

    private function reopen(int $live): bool {
        $ticket = $this->ticket($live);
        $ticket->reopen();
        return !$this->reader->state($live)['is_closed'];
    }

    /** A sentence's part when osTicket did not do it. */
    private function setStatus(int $live, Input $input): ?string {
        $state = $this->reader->state($live);
        if ($input->has('status')) {
            $wanted = $this->database->row('SELECT id, name, state FROM {ticket_status} WHERE name = ?', [$input->text('status')]);
        } elseif ($input->flag('is_closed') === $state['is_closed']) {
            return null;
        } else {
            $wanted = $this->database->row(
                'SELECT id, name, state FROM {ticket_status} WHERE state = ? AND (mode & 1) ORDER BY sort, id LIMIT 1',
                [$input->flag('is_closed') ? 'closed' : 'open']
            );
        }
        if ($wanted === null || !in_array($wanted['state'], ['open', 'closed'], true)) {
            throw new Refusal(422, 'refused', 'osTicket has no such status; nothing of it was changed.');
        }
        $errors = [];
        if ($wanted['name'] !== $state['status'] && !$this->ticket($live)->setStatus((int) $wanted['id'], '', $errors)) {
            return 'status (' . strip_tags((string) ($errors['err'] ?? 'no reason given')) . ')';
        }
        return null;
    }

    private function assign(int $live, string $owner): bool {
        $ticket = $this->ticket($live);
        return (bool) ($owner === '' ? $ticket->unassign() : $ticket->assignToStaff($this->staff($owner), '', true));
    }

    private function changeFields(int $live, Input $input): void {
        $values = $input->has('stage') ? ['cd_stage' => $input->text('stage', 40)] : [];
        if ($input->texts('add_tags') || $input->texts('remove_tags')) {
            $tags = array_filter(array_map('trim', explode(',', $this->fields->read($live)['cd_tags'] ?? '')));
            $tags = array_diff(array_unique([...$tags, ...$input->texts('add_tags')]), $input->texts('remove_tags'));
            $values['cd_tags'] = implode(', ', $tags);
        }
        if ($values) {
            $this->fields->write($live, $values);
        }
    }

    private function fieldsOf(Input $input): array {
        $about = $input->part('about');
        return [
            'cd_channel' => $about->text('channel', 200),
            'cd_platform' => $about->text('platform', 200),
            'cd_visibility' => $about->text('visibility', 40),
            'cd_stage' => $about->text('stage', 40),
            'cd_tags' => implode(', ', $about->texts('tags')),
        ];
    }

    /** Sets an answer of the ticket's own form, and its copy in the table that queues read. */
    private function setAnswer(int $ticket, string $name, ?int $id, string $value): void {
        $this->database->change(
            'UPDATE {form_entry_values} v JOIN {form_entry} e ON e.id = v.entry_id JOIN {form_field} f ON f.id = v.field_id
             SET v.value = ?, v.value_id = ? WHERE e.object_type = \'T\' AND e.object_id = ? AND f.name = ?',
            [$value, $id, $ticket, $name]
        );
        try {
            $this->database->change("UPDATE {ticket__cdata} SET `$name` = ? WHERE ticket_id = ?", [$id ?? $value, $ticket]);
        } catch (\RuntimeException) {
            // osTicket drops that table whenever a form changes, and makes it again from the answers.
            return;
        }
    }

    private function department(string $name): int {
        $found = $this->database->rows('SELECT id FROM {department} WHERE name = ? AND (flags & 4) LIMIT 2', [$name]);
        if (count($found) !== 1) {
            throw new Refusal(422, 'group', "osTicket has not exactly one active department called $name; make it, or correct the policy.");
        }
        return (int) $found[0]['id'];
    }

    /** @return array{int, string} */
    private function priority(string $name): array {
        $found = $this->database->row('SELECT priority_id, priority_desc FROM {ticket_priority} WHERE priority = ? OR priority_desc = ?', [$name, $name]);
        if ($found === null) {
            throw new Refusal(422, 'priority', "osTicket has no priority called $name.");
        }
        return [(int) $found['priority_id'], (string) $found['priority_desc']];
    }

    private function staff(string $name): int {
        $found = $this->database->value('SELECT staff_id FROM {staff} WHERE username = ? OR email = ?', [$name, $name]);
        return $found !== null ? (int) $found : throw new Refusal(422, 'agent', "osTicket has no agent called $name.");
    }

    private function user(int $id): \User {
        $user = \User::lookup($id);
        if (!$user) {
            throw new Refusal(422, 'customer', 'The customer\'s record was deleted in osTicket.');
        }
        if (\Banlist::isBanned((string) $user->getEmail())) {
            throw new Refusal(422, 'banned', 'An agent has banned this customer in osTicket; nothing was filed. Lift the ban and replay, or drop the message.');
        }
        return $user;
    }

    private function ticket(int $id): \Ticket {
        return \Ticket::lookup($id) ?: throw new Refusal(404, 'gone', self::MISSING);
    }

    private function rename(\User $user, string $name): void {
        // osTicket keeps the first name for ever.
        $stored = (string) $this->database->value('SELECT name FROM {user} WHERE id = ?', [(int) $user->getId()]);
        $clean = trim(strip_tags($name));
        if ($clean !== '' && $stored !== $clean) {
            $this->database->change('UPDATE {user} SET name = ?, updated = NOW() WHERE id = ?', [mb_substr($clean, 0, 128), (int) $user->getId()]);
        }
    }

    /** Agents' alerts stay on, answers and copies to customers are off: in this request's memory only, nothing of it is saved. */
    private function muteMailToCustomers(): void {
        $config = $GLOBALS['cfg'] ?? null;
        foreach (['message_autoresponder', 'message_autoresponder_collabs'] as $key) {
            if (isset($config->config[$key])) {
                $config->config[$key]->value = 0;
            } elseif (isset($config->defaults)) {
                $config->defaults[$key] = 0; // What no admin ever saved is on by default.
            }
        }
    }
}
