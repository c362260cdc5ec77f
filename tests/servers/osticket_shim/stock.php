<?php
// osTicket's own API as recorded: the key, refusals in plain text, success as 201 with the bare number, threading by Message-ID.

function stock_api($format, $body) {
    if (($_SERVER['HTTP_X_API_KEY'] ?? '') !== getenv('SHIM_API_KEY')) {
        answer(401, 'Valid API key required');
    }
    if ($format === 'json') {
        answer(400, 'Syntax error, malformed JSON');
    }
    [$head] = preg_split('/\r?\n\r?\n/', $body, 2);
    $head = preg_replace('/\r?\n[ \t]+/', ' ', $head);
    $header = static fn ($name) => preg_match("/^$name:\s*(.*?)\s*$/mi", $head, $found) ? $found[1] : '';
    $known = static function ($ids) {
        preg_match_all('/<[^>]+>/', $ids, $found);
        foreach ($found[0] as $id) {
            $rows = sql('SELECT t.object_id FROM ost_thread_entry_email m JOIN ost_thread_entry n ON n.id = m.thread_entry_id
                         JOIN ost_thread t ON t.id = n.thread_id WHERE m.mid = ?', $id);
            if ($rows) {
                return Ticket::lookup($rows[0]['object_id']);
            }
        }
        return null;
    };
    $number = static fn ($ticket) => sql('SELECT number FROM ost_ticket WHERE ticket_id = ?', $ticket->getId())[0]['number'];
    if ($seen = $known($header('Message-ID'))) {
        answer(201, $number($seen));
    }
    preg_match('/<([^>@]+@[^>]+)>/', $header('From'), $from);
    $address = $from[1] ?? $header('From');
    $name = trim((string) iconv_mime_decode(strtok($header('From'), '<'), 2, 'UTF-8'), ' "');
    if (Banlist::isBanned($address)) {
        answer(403, "Unable to create new ticket :Ticket denied: $address\n\nThis help desk is for use by authorized users only");
    }
    $user = User::fromVars(['email' => $address, 'name' => $name]);
    [$text, $files] = parts($body);
    $vars = ['mid' => $header('Message-ID'), 'message' => new HtmlThreadEntryBody($text), 'attachments' => $files, 'source' => 'Email'];
    if ($ticket = $known($header('In-Reply-To') . $header('References'))) {
        $ticket->postMessage($vars + ['userId' => $user->getId()], 'Email', true);
        answer(201, $number($ticket));
    }
    $subject = (string) iconv_mime_decode($header('Subject'), 2, 'UTF-8');
    $ticket = Ticket::create($vars + ['uid' => $user->getId(), 'email' => $address, 'subject' => $subject], $errors, 'Email', false, true);
    answer(201, $number($ticket));
}

/** The HTML of a message (or its plain text) and its files. */
function parts($message) {
    [$head, $body] = preg_split('/\r?\n\r?\n/', $message, 2) + ['', ''];
    $head = preg_replace('/\r?\n[ \t]+/', ' ', $head);
    if (preg_match('/^Content-Type:\s*multipart\/\w+;.*?boundary="?([^";\r\n]+)/mi', $head, $found)) {
        $text = '';
        $files = [];
        foreach (array_slice(explode("--$found[1]", $body), 1, -1) as $part) {
            [$inner, $more] = parts(ltrim($part, "\r\n"));
            $text = $inner !== '' ? $inner : $text; // Of alternatives the last one is the richest.
            $files = [...$files, ...$more];
        }
        return [$text, $files];
    }
    $coding = preg_match('/^Content-Transfer-Encoding:\s*(\S+)/mi', $head, $found) ? strtolower($found[1]) : '';
    $body = match ($coding) {
        'base64' => base64_decode($body),
        'quoted-printable' => quoted_printable_decode($body),
        default => $body,
    };
    if (preg_match('/^Content-Disposition:\s*attachment/mi', $head)) {
        $name = preg_match('/filename="?([^"\r\n;]+)/i', $head, $found) ? $found[1] : 'file';
        $type = preg_match('/^Content-Type:\s*([^;\s]+)/mi', $head, $found) ? $found[1] : 'application/octet-stream';
        return ['', [['name' => $name, 'type' => $type, 'data' => $body]]];
    }
    return [rtrim($body, "\r\n"), []];
}
