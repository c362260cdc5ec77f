<?php
// The plugin as osTicket boots it, once per request: listens to signals, opens the bridge's routes, mends what agents post.

require_once INCLUDE_DIR . 'class.plugin.php';
require_once INCLUDE_DIR . 'class.signal.php';
require_once INCLUDE_DIR . 'class.app.php';
require_once __DIR__ . '/config.php';
foreach (['Refusal', 'Signature', 'Emoji', 'Database', 'Bridge', 'Journal', 'Fields', 'Reader', 'Desk', 'Input', 'Api', 'Posted', 'Relay', 'Panel', 'HandOver'] as $part) {
    require_once __DIR__ . "/src/$part.php";
}

use Crossdesk\Api;
use Crossdesk\Bridge;
use Crossdesk\Database;
use Crossdesk\Desk;
use Crossdesk\Fields;
use Crossdesk\HandOver;
use Crossdesk\Journal;
use Crossdesk\Panel;
use Crossdesk\Posted;
use Crossdesk\Reader;
use Crossdesk\Relay;

class CrossdeskPlugin extends Plugin {
    public $config_class = 'CrossdeskConfig';

    /** Columns of a ticket whose change the bridge must look at. A lock is told when somebody begins to type and when they stop. */
    private const TOLD = ['status_id', 'staff_id', 'team_id', 'dept_id', 'ticket_pid', 'user_id', 'lock_id'];

    /** One bridge for one osTicket. */
    public function isMultiInstance() {
        return false;
    }

    public function bootstrap() {
        // The config is taken away again after this method: what is needed later is kept here.
        $config = $this->getConfig();
        $secret = (string) $config->get('secret');
        $url = (string) $config->get('webhook_url');
        if ($secret === '') {
            return;
        }
        $database = new Database(TABLE_PREFIX);
        $journal = new Journal($database, new Bridge($url, $secret));
        $fields = new Fields($database);
        $reader = new Reader($database, $fields);
        $desk = new Desk($database, $journal, $reader, $fields);

        (new Posted($database, $journal))->mend();

        Signal::connect('threadentry.created', function ($entry) use ($journal) {
            $thread = $entry->getThread();
            $ticket = $thread ? $thread->getObject() : null;
            if ($ticket instanceof Ticket) {
                $journal->touch((int) $ticket->getId());
            }
        });
        Signal::connect('model.created', function ($ticket) use ($journal) {
            $journal->ticketMade((int) $ticket->getId());
        }, 'Ticket');
        Signal::connect('model.updated', function ($ticket, $data = null) use ($journal) {
            $changed = array_keys($data['dirty'] ?? []);
            if (in_array('ticket_pid', $changed, true) && $ticket->getPid()) {
                $journal->followMerge((int) $ticket->getId(), (int) $ticket->getPid());
            }
            if (array_intersect($changed, self::TOLD)) {
                $journal->touch((int) $ticket->getId());
            }
        }, 'Ticket');
        foreach (['model.created', 'model.updated'] as $signal) {
            Signal::connect($signal, function ($answer) use ($journal, $fields) {
                try {
                    $entry = $fields->isCommand((int) $answer->get('field_id')) ? $answer->getEntry() : null;
                    if ($entry && $entry->get('object_type') === 'T') {
                        $journal->touch((int) $entry->get('object_id'));
                    }
                } catch (\Throwable $problem) {
                    error_log('Crossdesk: ' . $problem->getMessage()); // What ails us must not break what an agent does.
                }
            }, 'DynamicFormEntryAnswer');
        }
        Signal::connect('model.deleted', function ($ticket) use ($journal) {
            $journal->touch((int) $ticket->getId());
        }, 'Ticket');
        Signal::connect('cron', function () use ($journal) {
            $journal->deliver();
            $journal->purge();
        });
        $handOver = new HandOver($url, $secret, $database);
        Signal::connect('ajax.scp', fn ($dispatcher) => $handOver->route($dispatcher));
        $root = defined('ROOT_PATH') ? ROOT_PATH : '/';
        (new Application())->registerStaffApp('Crossdesk', $root . 'scp/ajax.php' . HandOver::PATH, ['title' => 'The console of Crossdesk']);
        $relay = Relay::of($url, (string) $config->get('panel_secret'));
        if ($relay !== null) {
            $panel = new Panel($relay, $journal, $database);
            Signal::connect('object.view', fn ($object) => $panel->show($object));
            Signal::connect('ajax.scp', fn ($dispatcher) => $panel->route($dispatcher));
        }
        Signal::connect('api', function ($dispatcher) use ($desk, $reader, $fields, $journal, $secret) {
            $api = new Api($desk, $reader, $fields, $journal, $secret);
            $dispatcher->append(url_post('^/crossdesk/v1/([a-z_]{1,40})$', function ($call) use ($api) {
                $api->answer((string) $call);
            }));
        });
    }
}
