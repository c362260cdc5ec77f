<?php
namespace Crossdesk;

/**
 * Which tickets are the bridge's, and the outbox of what happened in them.
 *
 * A row is written inside the signal, becomes ready when the request ends, and is done when the bridge has taken it: by our post after the
 * response, by cron, or by the bridge's own asking. Nothing but "look at this ticket" is ever told.
 */
final class Journal {
    private const MOST = 100;
    private const KEPT_DAYS = 7;
    /** Seconds after which a request that never ended (a crash) is taken for ended. */
    private const STALE = 60;
    /** Seconds for which agents' requests do not try a bridge that just did not answer. */
    private const SULK = 60;

    /** @var array<int, true> tickets touched in this request */
    private array $touched = [];
    private bool $isOwnCall = false;
    private ?string $opening = null;

    public function __construct(private readonly Database $database, private readonly Bridge $bridge) {
    }

    /** Makes the tables; a sentence when the database does not let us. */
    public function prepare(): ?string {
        try {
            $this->database->change(
                'CREATE TABLE IF NOT EXISTS {crossdesk_ticket} (
                    ticket_id INT UNSIGNED NOT NULL PRIMARY KEY,
                    marker CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NULL,
                    created DATETIME NOT NULL,
                    UNIQUE KEY marker (marker)
                ) ENGINE=InnoDB DEFAULT CHARSET=utf8'
            );
            $this->database->change(
                'CREATE TABLE IF NOT EXISTS {crossdesk_touch} (
                    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
                    touch_key CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                    ticket_id INT UNSIGNED NOT NULL,
                    is_ready TINYINT UNSIGNED NOT NULL DEFAULT 0,
                    is_done TINYINT UNSIGNED NOT NULL DEFAULT 0,
                    created DATETIME NOT NULL,
                    UNIQUE KEY touch_key (touch_key),
                    KEY waiting (is_done, id)
                ) ENGINE=InnoDB DEFAULT CHARSET=utf8'
            );
        } catch (\RuntimeException) {
            return 'osTicket\'s database user may not create the plugin\'s two tables. Grant it CREATE, then save again.';
        }
        return null;
    }

    /** The two tables and how they stand. */
    public function steps(): array {
        return array_map(fn (string $name): array => [
            'kind' => 'table',
            'name' => $name,
            'state' => $this->database->tableExists($name) ? 'same' : 'missing',
        ], ['crossdesk_ticket', 'crossdesk_touch']);
    }

    /** Takes the tables away, and switches the plugin's instance off, which cannot work without them. */
    public function remove(): void {
        $this->database->change(
            'UPDATE {plugin_instance} i JOIN {plugin} p ON p.id = i.plugin_id SET i.flags = i.flags & ~1 WHERE p.install_path IN (?, ?)',
            ['plugins/crossdesk', 'plugins/crossdesk.phar']
        );
        $this->database->change('DROP TABLE IF EXISTS {crossdesk_touch}');
        $this->database->change('DROP TABLE IF EXISTS {crossdesk_ticket}');
    }

    /** What is wrong with the way to the bridge, or nothing. */
    public function tryHook(): string {
        return $this->bridge->test() ?? '';
    }

    /** The bridge itself is calling: what changes now is no news to it. With a marker, the next ticket made is the one of that marker. */
    public function ownCall(?string $opening = null): void {
        $this->isOwnCall = true;
        $this->opening = $opening;
    }

    /** A ticket row was inserted in this request. Its marker is kept at once, so that a crash leaves a ticket that is found again. */
    public function ticketMade(int $ticket): void {
        if ($this->opening !== null) {
            $this->adopt($ticket, $this->opening);
            $this->opening = null;
        }
    }

    public function adopt(int $ticket, ?string $marker): void {
        $this->database->change(
            'INSERT INTO {crossdesk_ticket} (ticket_id, marker, created) VALUES (?, ?, NOW())
             ON DUPLICATE KEY UPDATE marker = COALESCE(marker, VALUES(marker))',
            [$ticket, $marker]
        );
    }

    public function isOurs(int $ticket): bool {
        return $this->database->value('SELECT 1 FROM {crossdesk_ticket} WHERE ticket_id = ?', [$ticket]) !== null;
    }

    public function ticketOf(string $marker): ?int {
        $found = $this->database->value('SELECT ticket_id FROM {crossdesk_ticket} WHERE marker = ?', [$marker]);
        return $found === null ? null : (int) $found;
    }

    /** One of our tickets went into another one: from now on that is ours, too. */
    public function followMerge(int $child, int $parent): void {
        try {
            if ($this->isOurs($child)) {
                $this->adopt($parent, null);
                $this->touch($parent);
            }
        } catch (\Throwable $problem) {
            error_log('Crossdesk: ' . $problem->getMessage());
        }
    }

    /** Notes, once in a request, that the bridge must look at a ticket. */
    public function touch(int $ticket): void {
        if ($this->isOwnCall || isset($this->touched[$ticket])) {
            return;
        }
        try {
            $this->note($ticket);
        } catch (\Throwable $problem) {
            error_log('Crossdesk: ' . $problem->getMessage()); // What ails us must not break what an agent does.
        }
    }

    private function note(int $ticket): void {
        if (!$this->isOurs($ticket)) {
            return;
        }
        if (!$this->touched) {
            // Registered twice over, so that it runs after everything osTicket itself does at the end.
            register_shutdown_function(fn () => register_shutdown_function(fn () => $this->endOfRequest()));
        }
        $this->touched[$ticket] = true;
        $key = bin2hex(random_bytes(16));
        $this->database->change('INSERT INTO {crossdesk_touch} (touch_key, ticket_id, created) VALUES (?, ?, NOW())', [$key, $ticket]);
    }

    /** Posts what waits; false when the bridge does not answer. */
    public function deliver(): bool {
        do {
            $rows = $this->waiting();
            if (!$rows) {
                return true;
            }
            if (!$this->bridge->post(['contract' => 1, 'touches' => self::told($rows)])) {
                return false;
            }
            $this->finish(array_column($rows, 'touch_key'));
            @unlink(self::sulkFile());
        } while (count($rows) === self::MOST);
        return true;
    }

    /** What waits, for a bridge that asks; `$done` are keys that it has stored. @return array{touches: array, has_more: bool} */
    public function toldOnRequest(array $done): array {
        $this->finish($done);
        $rows = $this->waiting();
        return ['touches' => self::told($rows), 'has_more' => count($rows) === self::MOST];
    }

    public function purge(): void {
        $this->database->change('DELETE FROM {crossdesk_touch} WHERE is_done = 1 AND created < NOW() - INTERVAL ' . self::KEPT_DAYS . ' DAY');
    }

    public function waitingCount(): int {
        return (int) $this->database->value('SELECT COUNT(*) FROM {crossdesk_touch} WHERE is_done = 0');
    }

    private function endOfRequest(): void {
        try {
            $tickets = implode(',', array_keys($this->touched));
            $this->database->change("UPDATE {crossdesk_touch} SET is_ready = 1 WHERE is_done = 0 AND ticket_id IN ($tickets)");
            $isFree = function_exists('fastcgi_finish_request');
            if ($isFree) {
                fastcgi_finish_request();
            }
            if (!$isFree && @filemtime(self::sulkFile()) > time() - self::SULK) {
                return; // Nobody shall wait again for a bridge that is away; cron and the bridge's own asking catch up.
            }
            if (!$this->deliver() && !$isFree) {
                @touch(self::sulkFile());
            }
        } catch (\Throwable $problem) {
            error_log('Crossdesk: ' . $problem->getMessage());
        }
    }

    private static function sulkFile(): string {
        return sys_get_temp_dir() . '/crossdesk-' . md5(__FILE__ . TABLE_PREFIX) . '.away';
    }

    private function waiting(): array {
        return $this->database->rows(
            'SELECT touch_key, ticket_id, UNIX_TIMESTAMP(created) AS at FROM {crossdesk_touch}
             WHERE is_done = 0 AND (is_ready = 1 OR created < NOW() - INTERVAL ' . self::STALE . ' SECOND) ORDER BY id LIMIT ' . self::MOST
        );
    }

    private function finish(array $keys): void {
        foreach (array_chunk($keys, self::MOST) as $some) {
            $places = implode(',', array_fill(0, count($some), '?'));
            $this->database->change("UPDATE {crossdesk_touch} SET is_done = 1 WHERE touch_key IN ($places)", $some);
        }
    }

    private static function told(array $rows): array {
        return array_map(
            static fn (array $row): array => ['key' => $row['touch_key'], 'ticket' => (string) $row['ticket_id'], 'at' => (int) $row['at']],
            $rows
        );
    }
}
