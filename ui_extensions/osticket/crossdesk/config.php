<?php
// The plugin's form in osTicket's admin panel. Saving it tries the connection and prepares the tables and fields.

require_once INCLUDE_DIR . 'class.plugin.php';
require_once INCLUDE_DIR . 'class.forms.php';

class CrossdeskConfig extends PluginConfig {
    public function getOptions() {
        return [
            'webhook_url' => new TextboxField([
                'id' => 'webhook_url',
                'label' => 'Address of the bridge',
                'required' => true,
                'hint' => 'Its public_url, then /in/helpdesk/ and the name in crossdesk.toml, such as https://bridge.example/in/helpdesk/osticket.',
                'configuration' => ['size' => 60, 'length' => 250],
            ]),
            'secret' => new TextboxField([
                'id' => 'secret',
                'label' => 'Shared secret',
                'required' => true,
                'hint' => 'The same as webhook_secret in crossdesk.toml; 32 characters or more.',
                'configuration' => ['size' => 60, 'length' => 200],
            ]),
            'panel_secret' => new TextboxField([
                'id' => 'panel_secret',
                'label' => 'Secret of the panel',
                'required' => false,
                'hint' => 'What `crossdesk panel secret NAME` prints; empty: no panel on the ticket page.',
                'configuration' => ['size' => 60, 'length' => 200],
            ]),
            'untested' => new BooleanField([
                'id' => 'untested',
                'label' => 'Save without a test',
                'default' => false,
                'configuration' => ['desc' => 'Only when the bridge cannot be running yet.'],
            ]),
        ];
    }

    /** Refuses what cannot work, with a sentence beside the field. */
    public function pre_save(&$config, &$errors) {
        $url = trim((string) ($config['webhook_url'] ?? ''));
        $secret = trim((string) ($config['secret'] ?? ''));
        $config['webhook_url'] = $url;
        $config['secret'] = $secret;
        $config['panel_secret'] = trim((string) ($config['panel_secret'] ?? ''));
        $problem = $this->problem($url, $secret, !empty($config['untested']));
        if ($problem !== null) {
            [$field, $sentence] = $problem;
            $errors['err'] = $sentence;
            $this->getForm()->getField($field)->addError($sentence);
            return false;
        }
        $config['untested'] = false;
        return true;
    }

    /** What is wrong, as field and sentence, or null. */
    private function problem(string $url, string $secret, bool $isUntested): ?array {
        if (!preg_match('~^https?://[^\s/]+(/\S*)?$~', $url)) {
            return ['webhook_url', 'This is no http or https address.'];
        }
        if (strlen($secret) < 32) {
            return ['secret', 'The secret needs 32 characters or more.'];
        }
        $database = new Crossdesk\Database(TABLE_PREFIX);
        $problem = (new Crossdesk\Journal($database, new Crossdesk\Bridge($url, $secret)))->prepare();
        $problem = $problem ?? (new Crossdesk\Fields($database))->prepare();
        if ($problem !== null) {
            return ['webhook_url', $problem];
        }
        if (!$isUntested) {
            $problem = (new Crossdesk\Bridge($url, $secret))->test();
            if ($problem !== null) {
                return [str_contains($problem, 'secret') ? 'secret' : 'webhook_url', $problem];
            }
        }
        return null;
    }
}
