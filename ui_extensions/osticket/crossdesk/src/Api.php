<?php
namespace Crossdesk;

/** The bridge's calls over HTTP: `POST api/crossdesk/v1/<call>`, signed, JSON both ways (contract.schema.json), files as bytes. */
final class Api {
    public const CONTRACT = 1;

    public function __construct(
        private readonly Desk $desk,
        private readonly Reader $reader,
        private readonly Fields $fields,
        private readonly Journal $journal,
        private readonly string $secret,
    ) {
    }

    /** Answers the current request and ends it. */
    public function answer(string $call): never {
        ob_start(); // Warnings of osTicket or other plugins must not stand before our JSON.
        try {
            $body = (string) file_get_contents('php://input');
            Signature::check(
                $this->secret,
                (string) ($_SERVER['HTTP_X_CROSSDESK_TIMESTAMP'] ?? ''),
                (string) ($_SERVER['HTTP_X_CROSSDESK_SIGNATURE'] ?? ''),
                $call,
                $body,
                time()
            );
            $this->journal->ownCall();
            $input = Input::parse($body);
            if ($call === 'read_file') {
                $this->sendFile($input);
            }
            $told = ['ok' => true] + $this->call($call, $input);
            $this->send(200, $told);
        } catch (Refusal $refusal) {
            $this->send($refusal->status, ['ok' => false, 'code' => $refusal->errorCode, 'message' => $refusal->getMessage()]);
        } catch (\Throwable $fault) {
            error_log("Crossdesk: $call failed: " . get_class($fault) . ': ' . $fault->getMessage() . ' at ' . $fault->getFile() . ':' . $fault->getLine());
            $this->send(500, ['ok' => false, 'code' => 'failed', 'message' => 'osTicket failed while it worked on this; see its error log.']);
        }
    }

    private function call(string $call, Input $input): array {
        return match ($call) {
            'about' => $this->about(),
            'ensure_customer' => ['customer' => (string) $this->desk->ensureCustomer($input->part('customer'))],
            'open_ticket' => $this->desk->open($input),
            'add_entry' => $this->desk->add($input),
            'find_ticket' => $this->findTicket($input->marker()),
            'find_entry' => $this->findEntry($input),
            'show_ticket' => $this->show($input),
            'who_pressed' => ['presser' => $this->reader->presser($this->desk->mustLive($input))],
            'list_entries' => $this->reader->entries($this->desk->mustLive($input), $input->number('after')),
            'change_ticket' => $this->desk->change($input),
            'lock' => $this->desk->lock($input),
            'setup' => $this->setup($input),
            'try_hook' => ['problem' => $this->journal->tryHook()],
            'delete_trial' => $this->desk->deleteTrial($input),
            'list_touches' => $this->journal->toldOnRequest($input->texts('done')),
            default => throw new Refusal(404, 'call', 'The plugin knows no such call; install the version that belongs to the bridge.'),
        };
    }

    private function about(): array {
        return [
            'contract' => self::CONTRACT,
            'plugin' => (string) ((include dirname(__DIR__) . '/plugin.php')['version'] ?? ''),
            'osticket' => defined('THIS_VERSION') ? (string) THIS_VERSION : '',
            'php' => PHP_VERSION,
            'is_prepared' => $this->fields->isPrepared(),
            'has_mbstring' => extension_loaded('mbstring'),
            'waiting' => $this->journal->waitingCount(),
        ];
    }

    /** Says how what the plugin needs in osTicket's database stands, makes it so, or takes it away; told as it is afterwards. */
    private function setup(Input $input): array {
        $action = $input->choice('action', 'plan', 'apply', 'remove');
        if ($action === 'apply') {
            $problem = $this->journal->prepare() ?? $this->fields->prepare();
            if ($problem !== null) {
                throw new Refusal(422, 'refused', $problem);
            }
            if ($input->flag('overwrite_drift')) {
                $this->fields->mend();
            }
        } elseif ($action === 'remove') {
            $this->fields->remove();
            $this->journal->remove();
        }
        return ['steps' => [...$this->journal->steps(), ...$this->fields->steps()]];
    }

    private function findTicket(string $marker): array {
        $ticket = $this->journal->ticketOf($marker) ?? $this->reader->ticketByMessageId($marker);
        $live = $ticket === null ? null : $this->reader->live($ticket);
        if ($ticket === null || $live === null) {
            return ['found' => null];
        }
        $entry = $this->reader->entryOf($live, $marker);
        if ($entry === null) {
            return ['found' => null]; // Half made: opening it again finishes it.
        }
        $this->journal->adopt($ticket, $marker);
        return ['found' => [
            'ticket' => (string) $ticket,
            'number' => $this->reader->state($ticket)['number'],
            'entry' => (string) $entry,
            'customer' => $this->reader->customerOf($ticket),
        ]];
    }

    private function findEntry(Input $input): array {
        $live = $this->desk->mustLive($input);
        $entry = $this->reader->entryOf($live, $input->marker());
        return ['found' => $entry === null ? null : ['ticket' => (string) $live, 'entry' => (string) $entry]];
    }

    private function show(Input $input): array {
        try {
            $this->desk->mustLive($input);
        } catch (Refusal $refusal) {
            if ($refusal->errorCode !== 'gone' || !$this->journal->isOurs((int) $input->text('ticket'))) {
                throw $refusal;
            }
        }
        $ref = $input->text('ticket');
        return $this->reader->state(ctype_digit($ref) ? (int) $ref : $this->desk->mustLive($input), $input->texts('fields', 100));
    }

    private function sendFile(Input $input): never {
        $found = $this->reader->attachment($input->number('file'));
        $file = $found !== null && $this->journal->isOurs($found['ticket']) ? \AttachmentFile::lookup($found['file']) : null;
        if (!$file) {
            throw new Refusal(404, 'gone', 'The file is not there any more, or does not belong to a ticket of the bridge.');
        }
        $bytes = (string) $file->getData();
        $this->clean();
        http_response_code(200);
        header('Content-Type: application/octet-stream');
        header('X-Crossdesk-File: ' . $found['size']);
        header('Content-Length: ' . strlen($bytes));
        echo $bytes;
        exit;
    }

    private function send(int $status, array $told): never {
        $this->clean();
        http_response_code($status);
        $body = json_encode($told, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        header('Content-Type: application/json; charset=utf-8');
        header('Cache-Control: no-store');
        header('Content-Length: ' . strlen($body));
        echo $body;
        exit;
    }

    private function clean(): void {
        while (ob_get_level() > 0) {
            ob_end_clean();
        }
    }
}
