<?php
namespace Crossdesk;

/**
 * The form "Crossdesk" on the bridge's tickets: what agents read of the conversation, and the field that must be filled before closing.
 *
 * Written by SQL: the tables are the same in osTicket 1.17 and 1.18. Agents may see these fields; they fill in the last two alone, by which they
 * ask something of the bridge.
 */
final class Fields {
    private const FORM = 'crossdesk';
    private const CONFIRMED = 'cd_confirmed';
    private const ACTION = 'cd_action';
    private const REASON = 'cd_reason';
    private const FIELDS = [
        'cd_channel' => 'Channel',
        'cd_platform' => 'Platform',
        'cd_visibility' => 'Visibility',
        'cd_stage' => 'Stage',
        'cd_tags' => 'Tags',
        'cd_sla' => 'Service level',
        'cd_type' => 'Type',
        self::CONFIRMED => 'Customer confirmed',
        self::ACTION => 'Crossdesk action',
        self::REASON => 'Reason',
    ];
    /** What agents may ask of the bridge; it empties the field when that was taken. */
    private const ACTIONS = [
        'handoff' => 'Hand off',
        'postpone' => 'Postpone the handoff',
        'undo' => 'Undo the handoff',
        'confirm' => 'Complete, or ask whether it is solved',
        'confirmed' => 'Customer confirmed elsewhere',
        'denied' => 'Customer denied elsewhere',
        'close' => 'Close without confirmation',
        'release' => 'Let held replies go',
        'to_private' => 'Move to private',
        'request_approval' => 'Request approval',
        'approve' => 'Approve reply',
        'reject' => 'Reject reply',
        'take_over' => 'Take over',
        'mark_scam' => 'Mark as scam',
        'not_scam' => 'No scam after all',
        'retry' => 'Send again',
    ];
    /** osTicket's own bits: enabled, not to be deleted, renamed, disabled or retyped, seen by agents. */
    private const SHOWN = 0x1 | 0x400B0 | 0x1000;
    private const NEEDED_TO_CLOSE = 0x4;
    private const FILLED_IN = 0x2000;

    private ?int $command = null;

    public function __construct(private readonly Database $database) {
    }

    /** Makes the form and what it lacks. A sentence when that cannot be. */
    public function prepare(): ?string {
        try {
            $form = $this->formId() ?? $this->database->change(
                'INSERT INTO {form} (type, flags, title, instructions, name, notes, created, updated) VALUES (?, 0, ?, ?, ?, ?, NOW(), NOW())',
                ['G', 'Crossdesk', '', self::FORM, 'Made and filled by the Crossdesk plugin.']
            );
            $there = array_column($this->database->rows('SELECT name FROM {form_field} WHERE form_id = ?', [$form]), 'name');
            $sort = 0;
            foreach (self::FIELDS as $name => $label) {
                $sort++;
                if (!in_array($name, $there, true)) {
                    $this->database->change(
                        'INSERT INTO {form_field} (form_id, flags, type, label, name, configuration, sort, hint, created, updated)
                         VALUES (?, ?, ?, ?, ?, ?, ?, ?, NOW(), NOW())',
                        [$form, self::flags($name), self::type($name), $label, $name, self::configuration($name), $sort, '']
                    );
                }
            }
        } catch (\RuntimeException) {
            return 'The form "Crossdesk" cannot be made in osTicket\'s database. See the error log, then save again.';
        }
        return null;
    }

    /** What there should be and how it stands: kind, name, state (missing, same, drifted). */
    public function steps(): array {
        $form = $this->formId();
        $steps = [['kind' => 'form', 'name' => 'Crossdesk', 'state' => $form === null ? 'missing' : 'same']];
        $there = $form === null ? [] : $this->database->rows('SELECT name, type, flags, label FROM {form_field} WHERE form_id = ?', [$form]);
        $there = array_column($there, null, 'name');
        foreach (self::FIELDS as $name => $label) {
            $row = $there[$name] ?? null;
            $isSame = $row !== null && $row['type'] === self::type($name) && (int) $row['flags'] === self::flags($name) && $row['label'] === $label;
            $steps[] = ['kind' => 'field', 'name' => $label, 'state' => $row === null ? 'missing' : ($isSame ? 'same' : 'drifted')];
        }
        return $steps;
    }

    /** Puts fields that somebody changed back to how they were made. */
    public function mend(): void {
        foreach (self::FIELDS as $name => $label) {
            $this->database->change(
                'UPDATE {form_field} SET type = ?, flags = ?, label = ? WHERE form_id = ? AND name = ?',
                [self::type($name), self::flags($name), $label, $this->formId() ?? 0, $name]
            );
        }
    }

    /** Takes the form away with all values, but not fields that somebody has changed, nor the form as long as it has any field. */
    public function remove(): void {
        $form = $this->formId();
        if ($form === null) {
            return;
        }
        $states = array_column($this->steps(), 'state', 'name');
        foreach (self::FIELDS as $name => $label) {
            if ($states[$label] === 'same') {
                $field = (int) $this->database->value('SELECT id FROM {form_field} WHERE form_id = ? AND name = ?', [$form, $name]);
                $this->database->change('DELETE FROM {form_entry_values} WHERE field_id = ?', [$field]);
                $this->database->change('DELETE FROM {form_field} WHERE id = ?', [$field]);
            }
        }
        if ($this->database->value('SELECT 1 FROM {form_field} WHERE form_id = ? LIMIT 1', [$form]) === null) {
            $this->database->change('DELETE FROM {form_entry} WHERE form_id = ?', [$form]);
            $this->database->change('DELETE FROM {form} WHERE id = ?', [$form]);
        }
    }

    private static function flags(string $name): int {
        $more = $name === self::CONFIRMED ? self::NEEDED_TO_CLOSE : 0;
        return self::SHOWN | $more | (in_array($name, [self::ACTION, self::REASON], true) ? self::FILLED_IN : 0);
    }

    private static function type(string $name): string {
        return $name === self::ACTION ? 'choices' : 'text';
    }

    private static function configuration(string $name): string {
        if ($name !== self::ACTION) {
            return '{"size":40,"length":250}';
        }
        $lines = array_map(static fn (string $key, string $label): string => "$key: $label", array_keys(self::ACTIONS), self::ACTIONS);
        return json_encode(['choices' => implode("\r\n", $lines), 'default' => '', 'prompt' => '', 'multiselect' => false], JSON_THROW_ON_ERROR);
    }

    /** Whether a field is the one by which agents ask something of the bridge. */
    public function isCommand(int $field): bool {
        $this->command ??= (int) $this->database->value(
            'SELECT id FROM {form_field} WHERE form_id = ? AND name = ?',
            [$this->formId() ?? 0, self::ACTION]
        );
        return $this->command !== 0 && $field === $this->command;
    }

    /** The number of that field, 0 while there is none. */
    public function command(): int {
        $this->isCommand(0);
        return (int) $this->command;
    }

    public function isPrepared(): bool {
        $form = $this->formId();
        $known = $form === null ? [] : array_column($this->database->rows('SELECT name FROM {form_field} WHERE form_id = ?', [$form]), 'name');
        return array_diff(array_keys(self::FIELDS), $known) === [];
    }

    /** @return array<string, string> by name; what is empty is left out */
    public function read(int $ticket): array {
        $rows = $this->database->rows(
            'SELECT f.name, v.value FROM {form_entry} e JOIN {form_entry_values} v ON v.entry_id = e.id JOIN {form_field} f ON f.id = v.field_id
             WHERE e.object_type = \'T\' AND e.object_id = ? AND e.form_id = ? AND v.value IS NOT NULL',
            [$ticket, $this->formId() ?? 0]
        );
        return array_column($rows, 'value', 'name');
    }

    /** Sets fields by name; the stage says whether the ticket may be closed. */
    public function write(int $ticket, array $values): void {
        if (isset($values['cd_stage'])) {
            $values[self::CONFIRMED] = match ($values['cd_stage']) {
                'social' => 'not needed',
                'resolved' => 'yes',
                default => null,
            };
        }
        $form = $this->formId();
        if ($form === null) {
            throw new Refusal(503, 'unprepared', 'The plugin\'s form is missing; save the plugin\'s settings in osTicket once.');
        }
        $entry = $this->database->value(
            'SELECT id FROM {form_entry} WHERE object_type = \'T\' AND object_id = ? AND form_id = ?',
            [$ticket, $form]
        );
        $entry ??= $this->database->change(
            'INSERT INTO {form_entry} (form_id, object_id, object_type, sort, created, updated) VALUES (?, ?, ?, 100, NOW(), NOW())',
            [$form, $ticket, 'T']
        );
        $ids = array_column($this->database->rows('SELECT id, name FROM {form_field} WHERE form_id = ?', [$form]), 'id', 'name');
        foreach ($ids as $name => $id) {
            if (array_key_exists($name, $values)) {
                $this->database->change(
                    'INSERT INTO {form_entry_values} (entry_id, field_id, value) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
                    [(int) $entry, (int) $id, $values[$name] === '' ? null : $values[$name]]
                );
            }
        }
    }

    /** Our fields by our own words and others by osTicket's names, as text, empty ones included. @return array<string, string> */
    public function all(int $ticket, array $others): array {
        $ours = $this->read($ticket);
        $found = [];
        foreach (array_keys(self::FIELDS) as $name) {
            $value = (string) ($ours[$name] ?? '');
            // osTicket keeps a choice as an object of its key and its label.
            $chosen = $name === self::ACTION ? json_decode($value, true) : null;
            $found[substr($name, 3)] = is_array($chosen) ? (string) array_key_first($chosen) : $value;
        }
        foreach ($others as $name) {
            $row = $this->answer($ticket, $name);
            $value = (string) ($row['value'] ?? '');
            $chosen = $value !== '' && $value[0] === '{' ? json_decode($value, true) : null;
            $found[$name] = is_array($chosen) ? implode(', ', array_filter($chosen, 'is_string')) : $value;
        }
        return $found;
    }

    /** Sets fields by our words or osTicket's names; `due_at` is osTicket's own date. Refuses all of them when one is not there or is no text. */
    public function set(int $ticket, array $values): void {
        $ours = [];
        $theirs = [];
        $due = null;
        foreach ($values as $name => $value) {
            if ($name === 'due_at') {
                $due = self::moment($value);
                continue;
            }
            if (isset(self::FIELDS["cd_$name"]) && "cd_$name" !== self::CONFIRMED) {
                $ours["cd_$name"] = $value;
                continue;
            }
            $row = $this->answer($ticket, (string) $name);
            if ($row === null || !in_array($row['type'], ['text', 'memo', 'phone', 'number'], true)) {
                throw new Refusal(422, 'field', "The ticket has no text field $name, so no field was filled. See its forms in osTicket.");
            }
            $theirs[] = [(int) $row['entry'], (int) $row['field'], $value === '' ? null : $value];
        }
        foreach ($theirs as $one) {
            $this->database->change(
                'INSERT INTO {form_entry_values} (entry_id, field_id, value) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
                $one
            );
        }
        if ($due !== null) {
            $this->database->change(
                'UPDATE {ticket} SET duedate = FROM_UNIXTIME(?), isoverdue = IF(FROM_UNIXTIME(?) > NOW(), 0, isoverdue) WHERE ticket_id = ?',
                [$due, $due, $ticket]
            );
        } elseif (array_key_exists('due_at', $values)) {
            $this->database->change('UPDATE {ticket} SET duedate = NULL WHERE ticket_id = ?', [$ticket]);
        }
        if ($ours) {
            $this->write($ticket, $ours);
        }
    }

    /** Seconds since 1970 of a moment such as 2026-11-23T12:00:00+01:00; null for none. */
    private static function moment(string $value): ?int {
        try {
            return $value === '' ? null : (new \DateTimeImmutable($value))->getTimestamp();
        } catch (\Exception) {
            throw new Refusal(422, 'field', 'What is due is no moment, so no field was filled.');
        }
    }

    private function answer(int $ticket, string $name): ?array {
        return $this->database->row(
            'SELECT e.id AS entry, f.id AS field, f.type, v.value FROM {form_entry} e JOIN {form_field} f ON f.form_id = e.form_id
             LEFT JOIN {form_entry_values} v ON v.entry_id = e.id AND v.field_id = f.id
             WHERE e.object_type = \'T\' AND e.object_id = ? AND f.name = ? AND f.name NOT IN (\'subject\', \'priority\') LIMIT 1',
            [$ticket, $name]
        );
    }

    private function formId(): ?int {
        $found = $this->database->value('SELECT id FROM {form} WHERE name = ? ORDER BY id LIMIT 1', [self::FORM]);
        return $found === null ? null : (int) $found;
    }
}
