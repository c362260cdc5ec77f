<?php
namespace Crossdesk;

/** Sends whoever is signed in to the staff panel over to the bridge's console, by a word that says who they are. Asks for no password. */
final class HandOver {
    public const PATH = '/crossdesk/console';

    public function __construct(private readonly string $address, private readonly string $secret, private readonly Database $database) {
    }

    /** Serves the way over below the staff panel's ajax.php, which lets nobody in who is not signed in. */
    public function route(object $dispatcher): void {
        $dispatcher->append(url_get('^' . self::PATH . '$', fn () => $this->answer()));
    }

    private function answer(): never {
        global $thisstaff;
        if (!$thisstaff) {
            http_response_code(403);
            exit;
        }
        if (isset($_SERVER['HTTP_X_PJAX']) || isset($_GET['_pjax'])) {
            // The staff panel asks for pages by script, which may not follow to another server: an empty page has it go there in full.
            header('Cache-Control: no-store');
            exit;
        }
        $word = self::word($this->secret, time(), (string) $thisstaff->getUserName(), (string) $thisstaff->getName(), $this->groups($thisstaff));
        while (ob_get_level() > 0) {
            ob_end_clean();
        }
        header('Cache-Control: no-store');
        header('Referrer-Policy: no-referrer');
        header('Location: ' . self::console($this->address) . '?word=' . rawurlencode($word), true, 303);
        exit;
    }

    /** What the bridge reads (plugin/helpdesks/osticket/hand_over.py). The signature is that of a call which there is not. */
    public static function word(string $secret, int $at, string $login, string $name, array $groups): string {
        $told = json_encode(
            ['login' => $login, 'name' => $name, 'groups' => array_values(array_unique(array_filter($groups)))],
            JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES
        );
        $payload = rtrim(strtr(base64_encode($told), '+/', '-_'), '=');
        $signature = substr(Signature::make($secret, (string) $at, 'hand-over', $payload), strlen('v1='));
        return "$at.$payload.$signature";
    }

    /** Where the console is, of the address to which the bridge's webhooks go. */
    public static function console(string $webhook): string {
        return preg_replace('~/in/helpdesk/[^/]+/*$~D', '', $webhook) . '/console/hand-over';
    }

    /** What [console] in crossdesk.toml may name: teams and department, and Administrators. */
    private function groups(object $staff): array {
        $teams = $this->database->rows(
            'SELECT t.name FROM {team} t JOIN {team_member} m ON m.team_id = t.team_id WHERE m.staff_id = ? LIMIT 49',
            [(int) $staff->getId()]
        );
        $department = $staff->getDept();
        return [$staff->isAdmin() ? 'Administrators' : '', $department ? (string) $department->getName() : '', ...array_column($teams, 'name')];
    }
}
