<?php
namespace Crossdesk;

/** Sends whoever is signed in to the staff panel over to the bridge's console, by a word that says who they are. Asks for no password. */
final class HandOver {
    public function __construct(private readonly string $address, private readonly string $secret) {
    }

    /** Answers the current request, of a signed-in agent, with the way to the console. */
    public function answer(object $staff): never {
        $word = self::word($this->secret, time(), (string) $staff->getUserName(), (string) $staff->getName(), self::groups($staff));
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

    /** What [console] in crossdesk.toml may name: department, role and teams, and Administrators. */
    private static function groups(object $staff): array {
        $found = [$staff->isAdmin() ? 'Administrators' : ''];
        foreach ([$staff->getDept(), $staff->getRole()] as $one) {
            $found[] = $one ? (string) $one->getName() : '';
        }
        foreach ($staff->getTeams() ?: [] as $id) {
            $team = \Team::lookup($id);
            $found[] = $team ? (string) $team->getName() : '';
        }
        return $found;
    }
}
