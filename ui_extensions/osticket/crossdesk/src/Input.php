<?php
namespace Crossdesk;

/** A call's arguments, checked as they are taken; what does not fit refuses the whole call before anything is done. */
final class Input {
    private function __construct(private readonly array $values, private readonly string $where) {
    }

    public static function parse(string $body): self {
        $read = json_decode($body, true, 32);
        if (!is_array($read) || ($read && array_is_list($read))) {
            throw new Refusal(400, 'malformed', 'The call is no JSON object.');
        }
        return new self($read, '');
    }

    public function text(string $name, int $most = 2_000_000, bool $mayBeEmpty = true): string {
        $value = $this->values[$name] ?? '';
        if (!is_string($value) || strlen($value) > $most || (!$mayBeEmpty && $value === '') || preg_match('//u', $value) !== 1) {
            throw $this->wrong($name);
        }
        return str_replace("\0", '', $value);
    }

    public function has(string $name): bool {
        return isset($this->values[$name]);
    }

    public function flag(string $name): bool {
        $value = $this->values[$name] ?? false;
        return is_bool($value) ? $value : throw $this->wrong($name);
    }

    public function number(string $name): int {
        $value = $this->text($name, 19);
        return $value === '' ? 0 : (preg_match('/^[0-9]{1,18}$/D', $value) ? (int) $value : throw $this->wrong($name));
    }

    public function marker(string $name = 'marker'): string {
        $value = $this->text($name, 26);
        return preg_match('/^[0-9a-z]{26}$/D', $value) ? $value : throw $this->wrong($name);
    }

    public function choice(string $name, string ...$known): string {
        $value = $this->text($name, 100);
        return in_array($value, $known, true) ? $value : throw $this->wrong($name);
    }

    /** @return string[] */
    public function texts(string $name, int $most = 500): array {
        $value = $this->values[$name] ?? [];
        if (!is_array($value) || !array_is_list($value) || count($value) > $most || array_filter($value, 'is_string') !== $value) {
            throw $this->wrong($name);
        }
        return $value;
    }

    /** @return array<string, string> */
    public function map(string $name): array {
        $value = $this->values[$name] ?? [];
        if (!is_array($value) || ($value && array_is_list($value)) || array_filter($value, 'is_string') !== $value || count($value) > 100) {
            throw $this->wrong($name);
        }
        return $value;
    }

    public function part(string $name): self {
        $value = $this->values[$name] ?? null;
        return is_array($value) ? new self($value, "$this->where$name.") : throw $this->wrong($name);
    }

    /** @return self[] */
    public function parts(string $name, int $most = 50): array {
        $value = $this->values[$name] ?? [];
        if (!is_array($value) || !array_is_list($value) || count($value) > $most || array_filter($value, 'is_array') !== $value) {
            throw $this->wrong($name);
        }
        return array_map(fn (array $one): self => new self($one, "$this->where$name."), $value);
    }

    private function wrong(string $name): Refusal {
        return new Refusal(400, 'malformed', "The argument $this->where$name is not as the contract has it.");
    }
}
