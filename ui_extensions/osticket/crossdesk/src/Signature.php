<?php
namespace Crossdesk;

/** HMAC over time, call and body, compared in constant time. Knows nothing of osTicket. */
final class Signature {
    /** Seconds by which the two clocks may differ. */
    public const WINDOW = 300;

    /** The header's value for a body sent to the bridge ($call = '') or for one of the bridge's calls. */
    public static function make(string $secret, string $timestamp, string $call, string $body): string {
        $signed = $timestamp . '.' . ($call === '' ? '' : $call . '.') . $body;
        return 'v1=' . hash_hmac('sha256', $signed, $secret);
    }

    /** Raises unless the bridge signed this call, within the window. */
    public static function check(string $secret, string $timestamp, string $given, string $call, string $body, int $now): void {
        if ($secret === '' || !hash_equals(self::make($secret, $timestamp, $call, $body), $given)) {
            throw new Refusal(401, 'signature', 'The signature is not right; compare the secrets on both sides.');
        }
        if (!preg_match('/^[0-9]{1,12}$/D', $timestamp) || abs($now - (int) $timestamp) > self::WINDOW) {
            throw new Refusal(401, 'clock', 'The signed time is more than five minutes off; compare the clocks of both machines.');
        }
    }
}
