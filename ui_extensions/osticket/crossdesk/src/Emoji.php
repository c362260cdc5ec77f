<?php
namespace Crossdesk;

/**
 * Writes what osTicket would strip or spoil as short codes (`:grinning_face:`, `:u1fae8:`), which the bridge turns back.
 *
 * osTicket removes emoji from everything it stores, and its three-byte columns turn other characters beyond U+FFFF into question marks.
 */
final class Emoji {
    private const SPOILT = '/[\x{A9}-\x{AE}\x{2310}-\x{231F}\x{2322}-\x{232F}\x{23E0}-\x{23FF}\x{2702}-\x{27B0}\x{10000}-\x{10FFFF}]/u';
    /** Names that are older than this Unicode version are known to the bridge, too. */
    private const KNOWN_SINCE = 14;

    /** Text or HTML with short codes; numeric entities count as their characters. What is no UTF-8 comes back as it is. */
    public static function encode(string $text): string {
        $named = preg_replace_callback(
            '/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/i',
            static function (array $found): string {
                $code = ($found[2] ?? '') !== '' ? (int) $found[2] : (int) hexdec($found[1]);
                $letter = $code > 0x7F && $code <= 0x10FFFF ? \mb_chr($code, 'UTF-8') : false;
                return $letter !== false && preg_match(self::SPOILT, $letter) ? $letter : $found[0];
            },
            $text
        );
        $coded = preg_replace_callback(self::SPOILT, static fn (array $found): string => self::code($found[0]), $named ?? $text);
        return $coded ?? $text;
    }

    private static function code(string $letter): string {
        $number = \mb_ord($letter, 'UTF-8');
        if ($number === 0xAD) {
            return $letter; // A soft hyphen: osTicket drops it, and nobody misses it.
        }
        $name = '';
        if (class_exists('IntlChar') && (\IntlChar::charAge($number)[0] ?? 99) <= self::KNOWN_SINCE) {
            $name = (string) \IntlChar::charName($number);
        }
        $word = strtolower(str_replace(' ', '_', $name));
        return preg_match('/^(?!u[0-9a-f]{2,6}$)[a-z][a-z0-9_-]{1,79}$/D', $word) && !str_contains($word, 'ideograph')
            ? ":$word:"
            : sprintf(':u%x:', $number);
    }
}
