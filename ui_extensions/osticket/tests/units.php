<?php
// Unit tests of the plugin's classes that need nothing of osTicket; run by test_plugin.py. Prints one line for each failure.

namespace Crossdesk;

foreach (['Refusal', 'Signature', 'Emoji', 'Input', 'Relay', 'HandOver'] as $part) {
    require dirname(__DIR__) . "/crossdesk/src/$part.php";
}

$failures = 0;

function same(string $what, mixed $wanted, mixed $found): void {
    global $failures;
    if ($wanted !== $found) {
        $failures++;
        echo "$what: wanted ", json_encode($wanted), ', found ', json_encode($found), "\n";
    }
}

function refused(string $what, string $code, callable $act): void {
    try {
        $act();
        same($what, "a refusal $code", 'none');
    } catch (Refusal $refusal) {
        same($what, $code, $refusal->errorCode);
        same("$what: a sentence", true, str_ends_with($refusal->getMessage(), '.'));
    }
}

// Signature: made as the bridge makes it, bound to time, call, body and secret.
$made = Signature::make('secret', '1000', 'about', '{}');
same('signature', 'v1=' . hash_hmac('sha256', '1000.about.{}', 'secret'), $made);
same('hook signature', 'v1=' . hash_hmac('sha256', '1000.{}', 'secret'), Signature::make('secret', '1000', '', '{}'));
Signature::check('secret', '1000', $made, 'about', '{}', 1300);
Signature::check('secret', '1000', $made, 'about', '{}', 700);
refused('late', 'clock', fn () => Signature::check('secret', '1000', $made, 'about', '{}', 1301));
refused('early', 'clock', fn () => Signature::check('secret', '1000', $made, 'about', '{}', 699));
refused('other call', 'signature', fn () => Signature::check('secret', '1000', $made, 'lock', '{}', 1000));
refused('other body', 'signature', fn () => Signature::check('secret', '1000', $made, 'about', '{ }', 1000));
refused('other secret', 'signature', fn () => Signature::check('secreT', '1000', $made, 'about', '{}', 1000));
refused('no secret', 'signature', fn () => Signature::check('', '1000', Signature::make('', '1000', 'about', '{}'), 'about', '{}', 1000));
refused('no time', 'clock', fn () => Signature::check('secret', '', Signature::make('secret', '', 'about', '{}'), 'about', '{}', 0));
refused('odd time', 'clock', fn () => Signature::check('secret', "1000\n", Signature::make('secret', "1000\n", 'about', '{}'), 'about', '{}', 1000));

// Relay: where the bridge is, what it is told, and what becomes of no answer. That it believes it, a test on the bridge's side asks.
same('no panel', null, Relay::of('https://bridge.example/in/helpdesk/osticket', ''));
same('no such address', null, Relay::of('https://bridge.example/hook', 's'));
$relay = Relay::of('https://bridge.example/sub/in/helpdesk/osticket/', 'panel secret');
same('root', 'https://bridge.example/sub', $relay->root);
same('helpdesk', 'osticket', $relay->helpdesk);
$headers = $relay->headers('GET', '/panel/osticket/7', '', ['id' => '1'], 1000);
same('agent', 'X-Crossdesk-Agent: eyJpZCI6IjEifQ', $headers[1]);
$told = "crossdesk-relay\nGET\n/panel/osticket/7\neyJpZCI6IjEifQ\n1000\n" . hash('sha256', '');
same('signed', 'X-Crossdesk-Signature: v1=' . hash_hmac('sha256', $told, 'panel secret'), $headers[3]);
same('link', true, (bool) preg_match('~^https://bridge\.example/sub/panel/-/page#[\w-]+\.[0-9a-f]{64}$~D', $relay->link('7', ['id' => '1'], 1000)));
same('nobody there', 503, (new Relay('http://127.0.0.1:1', 'osticket', 's'))->ask('GET', '/panel/osticket/7', '', ['id' => '1'])[0]);

// Emoji: what osTicket drops becomes a code, everything else stays.
same('plain', '<p>ü 1:2 :a: €</p>', Emoji::encode('<p>ü 1:2 :a: €</p>'));
same('face', ':grinning_face:', Emoji::encode('😀'));
same('entities', ':grinning_face::thumbs_up_sign:&#60;&lt;', Emoji::encode('&#128512;&#x1F44D;&#60;&lt;'));
same('signs', ':copyright_sign:', Emoji::encode('©'));
same('newer than the bridge knows', ':u1fae8:', Emoji::encode("\u{1FAE8}"));
same('ideograph', ':u20bb7:', Emoji::encode("\u{20BB7}"));
same('joined', ":adult:\u{200D}:personal_computer:", Emoji::encode("\u{1F9D1}\u{200D}\u{1F4BB}"));
same('no UTF-8', "\xff", Emoji::encode("\xff"));
same('entity beyond Unicode', '&#9999999;', Emoji::encode('&#9999999;'));

// Input: each argument as the contract has it, or nothing is done.
$input = Input::parse('{"a": "x", "n": "12", "f": true, "m": "01jd7q3w9x8v7u6t5s4r3q2p1n", "l": ["p"], "o": {"i": "y"}, "p": [{"i": "z"}]}');
same('text', 'x', $input->text('a'));
same('absent', '', $input->text('b'));
same('number', 12, $input->number('n'));
same('flag', true, $input->flag('f'));
same('marker', '01jd7q3w9x8v7u6t5s4r3q2p1n', $input->marker('m'));
same('texts', ['p'], $input->texts('l'));
same('part', 'y', $input->part('o')->text('i'));
same('parts', 'z', $input->parts('p')[0]->text('i'));
same('without NUL', 'ab', Input::parse('{"a": "a\u0000b"}')->text('a'));
refused('text for flag', 'malformed', fn () => $input->flag('a'));
refused('list for text', 'malformed', fn () => $input->text('l'));
refused('word for number', 'malformed', fn () => $input->number('a'));
refused('no marker', 'malformed', fn () => $input->marker('a'));
refused('too long', 'malformed', fn () => $input->text('a', 0));
refused('empty', 'malformed', fn () => $input->text('b', 5, false));
refused('no choice', 'malformed', fn () => $input->choice('a', 'y'));
refused('no part', 'malformed', fn () => $input->part('a'));
refused('texts in texts', 'malformed', fn () => $input->texts('p'));
foreach (['', 'null', '[]x', '[1]', '"x"', '{"a":', str_repeat('[', 5000), "\xff"] as $body) {
    refused("body $body", 'malformed', fn () => Input::parse($body));
}

// Hand-over: as the bridge reads it (test_plugin.py has the same word).
same('console', 'https://x.example/y/console/hand-over', HandOver::console('https://x.example/y/in/helpdesk/os/'));
$word = HandOver::word('a-shared-secret-of-32-characters', 1000, 'ada', 'Ada Ökafor/€', ['Support', '', 'Support', 'Leads']);
if (($argv[1] ?? '') === 'word') {
    echo $word, "\n";
    exit(0);
}

echo $failures === 0 ? "ok\n" : '';
exit($failures === 0 ? 0 : 1);
