<?php
namespace Crossdesk;

/** Passes the panel's requests on to the bridge, signed for the agent who asks (docs/panel.md, "Signing"). Knows nothing of osTicket. */
final class Relay {
    private const CONNECT_SECONDS = 1.5;
    private const SECONDS = 5.0;
    private const LONGEST = 8_500_000;
    private const CARRIED = ['content-type', 'retry-after', 'cache-control', 'content-security-policy', 'content-disposition', 'x-content-type-options', 'referrer-policy'];

    /** `$root` is the bridge's public address, `$helpdesk` what it calls this osTicket. */
    public function __construct(public readonly string $root, public readonly string $helpdesk, private readonly string $secret) {
    }

    /** From the address that the plugin tells of changes (`<public_url>/in/helpdesk/<name>`); null where there is no panel. */
    public static function of(string $webhookUrl, string $secret): ?self {
        if ($secret === '' || !preg_match('~^(https?://.+?)/in/helpdesk/([A-Za-z0-9_-]+)/*$~D', $webhookUrl, $found)) {
            return null;
        }
        return new self($found[1], $found[2], $secret);
    }

    /** The headers that make the bridge believe who asks. @return string[] */
    public function headers(string $method, string $path, string $body, array $agent, int $now): array {
        $told = self::packed($agent);
        $signed = implode("\n", ['crossdesk-relay', $method, $path, $told, (string) $now, hash('sha256', $body)]);
        return [
            'Content-Type: application/json',
            "X-Crossdesk-Agent: $told",
            "X-Crossdesk-Time: $now",
            'X-Crossdesk-Signature: v1=' . hash_hmac('sha256', $signed, $this->secret),
        ];
    }

    /** An address that opens the panel on a page of its own: once, within a minute. */
    public function link(string $ticket, array $agent, int $now): string {
        $word = rtrim(strtr(base64_encode(random_bytes(18)), '+/', '-_'), '=');
        $told = self::packed(['helpdesk' => $this->helpdesk, 'ticket' => $ticket, 'agent' => $agent, 'until' => $now + 60, 'word' => $word]);
        return "$this->root/panel/-/page#$told." . hash_hmac('sha256', "crossdesk-link\n$told", $this->secret);
    }

    /**
     * The bridge's answer. Without an agent it is not signed: for pictures, whose addresses are.
     *
     * @return array{int, string[], string} status, header lines to pass on, content; 503 where there is no answer
     */
    public function ask(string $method, string $path, string $body, ?array $agent): array {
        $headers = ['Accept: */*', 'Connection: close', ...($agent === null ? [] : $this->headers($method, $path, $body, $agent, time()))];
        [$status, $lines, $content] = function_exists('curl_init')
            ? $this->byCurl($method, $this->root . $path, $headers, $body)
            : $this->byStream($method, $this->root . $path, $headers, $body);
        if ($status === 0) {
            $told = ['error' => ['code' => 'away', 'text' => 'Crossdesk does not answer. Nothing was done.']];
            return [503, ['Content-Type: application/json', 'Retry-After: 5'], json_encode($told, JSON_THROW_ON_ERROR)];
        }
        $isCarried = static fn (string $line): bool => in_array(strtolower(strtok($line, ':')), self::CARRIED, true);
        return [$status, array_values(array_filter($lines, $isCarried)), $content];
    }

    private function byCurl(string $method, string $url, array $headers, string $body): array {
        $lines = [];
        $content = '';
        $call = curl_init($url);
        curl_setopt_array($call, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => [...$headers, 'Expect:'],
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_CONNECTTIMEOUT_MS => (int) (self::CONNECT_SECONDS * 1000),
            CURLOPT_TIMEOUT_MS => (int) (self::SECONDS * 1000),
            CURLOPT_NOSIGNAL => true,
            CURLOPT_HEADERFUNCTION => static function ($_, string $line) use (&$lines): int {
                $lines[] = trim($line);
                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => static function ($_, string $piece) use (&$content): int {
                $content .= $piece;
                return strlen($content) > self::LONGEST ? 0 : strlen($piece);
            },
        ]);
        if ($body !== '') {
            curl_setopt($call, CURLOPT_POSTFIELDS, $body);
        }
        $isDone = curl_exec($call);
        $status = $isDone === false ? 0 : (int) curl_getinfo($call, CURLINFO_RESPONSE_CODE);
        curl_close($call);
        return [$status, $lines, $content];
    }

    private function byStream(string $method, string $url, array $headers, string $body): array {
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => $headers,
            'content' => $body,
            'timeout' => self::SECONDS,
            'follow_location' => 0,
            'ignore_errors' => true,
        ]]);
        $content = @file_get_contents($url, false, $context, 0, self::LONGEST + 1);
        $lines = $http_response_header ?? [];
        if ($content === false || strlen($content) > self::LONGEST || !preg_match('~^HTTP/\S+ ([0-9]{3})~', $lines[0] ?? '', $found)) {
            return [0, [], ''];
        }
        return [(int) $found[1], $lines, $content];
    }

    private static function packed(array $told): string {
        return rtrim(strtr(base64_encode(json_encode($told, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE)), '+/', '-_'), '=');
    }
}
