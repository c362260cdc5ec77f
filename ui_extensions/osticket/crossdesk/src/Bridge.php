<?php
namespace Crossdesk;

/** Posts signed JSON to the bridge. Never longer than a few seconds, never follows a redirect, never throws. */
final class Bridge {
    private const SECONDS = 3.0;

    public function __construct(private readonly string $url, private readonly string $secret) {
    }

    /** Whether the bridge has taken it. */
    public function post(array $told): bool {
        [$status] = $this->send($told);
        return $status >= 200 && $status < 300;
    }

    /** What is wrong with the connection, in a sentence, or null. */
    public function test(): ?string {
        [$status, $problem] = $this->send(['contract' => 1, 'touches' => []]);
        return match (true) {
            $status >= 200 && $status < 300 => null,
            $status === 0 => "The bridge cannot be reached at this address ($problem). Is it running, and may this server reach it?",
            $status === 401, $status === 403 => 'The bridge does not accept the secret, or the clocks of the two machines differ by minutes.',
            $status === 404 => 'There is a Crossdesk at this address, but no helpdesk of that name.',
            default => "What answers at this address is not the bridge (HTTP $status).",
        };
    }

    /** @return array{int, string} status (0: no answer) and what PHP said */
    private function send(array $told): array {
        $body = json_encode($told, JSON_THROW_ON_ERROR);
        $stamp = (string) time();
        $headers = [
            'Content-Type: application/json',
            'X-Crossdesk-Timestamp: ' . $stamp,
            'X-Crossdesk-Signature: ' . Signature::make($this->secret, $stamp, '', $body),
            'Connection: close',
        ];
        if (function_exists('curl_init')) {
            return $this->byCurl($headers, $body);
        }
        return $this->byStream($headers, $body);
    }

    private function byCurl(array $headers, string $body): array {
        $call = curl_init($this->url);
        curl_setopt_array($call, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => [...$headers, 'Expect:'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_CONNECTTIMEOUT_MS => 1500,
            CURLOPT_TIMEOUT_MS => (int) (self::SECONDS * 1000),
            CURLOPT_NOSIGNAL => true,
        ]);
        $answer = curl_exec($call);
        $found = $answer === false ? [0, curl_error($call)] : [(int) curl_getinfo($call, CURLINFO_RESPONSE_CODE), ''];
        curl_close($call);
        return $found;
    }

    private function byStream(array $headers, string $body): array {
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => $headers,
            'content' => $body,
            'timeout' => self::SECONDS,
            'follow_location' => 0,
            'ignore_errors' => true,
        ]]);
        $answer = @file_get_contents($this->url, false, $context, 0, 65536);
        if ($answer === false || !isset($http_response_header[0]) || !preg_match('~^HTTP/\S+ ([0-9]{3})~', $http_response_header[0], $found)) {
            return [0, (string) (error_get_last()['message'] ?? 'no answer')];
        }
        return [(int) $found[1], ''];
    }
}
