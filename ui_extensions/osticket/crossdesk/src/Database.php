<?php
namespace Crossdesk;

/** osTicket's database, through its own connection: rows by SQL with `?` places, and `{name}` for a table of this installation. */
final class Database {
    public function __construct(private readonly string $prefix) {
    }

    /** @return array<int, array<string, mixed>> */
    public function rows(string $sql, array $values = []): array {
        $result = $this->run($sql, $values);
        $rows = [];
        while ($row = db_fetch_array($result)) {
            $rows[] = $row;
        }
        return $rows;
    }

    /** @return array<string, mixed>|null */
    public function row(string $sql, array $values = []): ?array {
        return $this->rows($sql, $values)[0] ?? null;
    }

    /** The first column of the first row, or null. */
    public function value(string $sql, array $values = []): mixed {
        $row = $this->row($sql, $values);
        return $row === null ? null : reset($row);
    }

    /** Changes something; the id of a row that was inserted. */
    public function change(string $sql, array $values = []): int {
        $this->run($sql, $values);
        return (int) db_insert_id();
    }

    public function tableExists(string $name): bool {
        return $this->value('SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?', [$this->prefix . $name]) !== null;
    }

    /** Runs $work while no other request holds $name; refuses with 503 when that does not come to be. */
    public function alone(string $name, callable $work): mixed {
        $lock = 'crossdesk.' . substr(hash('sha256', $this->prefix . $name), 0, 40);
        if ((int) $this->value('SELECT GET_LOCK(?, 10)', [$lock]) !== 1) {
            throw new Refusal(503, 'busy', 'Another request works on the same ticket; try again.');
        }
        try {
            return $work();
        } finally {
            $this->value('SELECT RELEASE_LOCK(?)', [$lock]);
        }
    }

    private function run(string $sql, array $values): mixed {
        $sql = preg_replace('/\{([a-z_]+)\}/', '`' . $this->prefix . '$1`', $sql);
        $parts = explode('?', $sql);
        $whole = array_shift($parts);
        foreach ($parts as $part) {
            $whole .= self::literal(array_shift($values)) . $part;
        }
        $result = db_query($whole, false);
        if ($result === false) {
            throw new \RuntimeException('osTicket\'s database refused a statement of the plugin.');
        }
        return $result;
    }

    private static function literal(mixed $value): string {
        return match (true) {
            $value === null => 'NULL',
            is_bool($value) => $value ? '1' : '0',
            is_int($value) => (string) $value,
            // Always quoted: osTicket's own helper leaves digits bare, and 0123456 would lose its zero.
            default => "'" . db_real_escape((string) $value) . "'",
        };
    }
}
