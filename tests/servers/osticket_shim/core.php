<?php
// What osTicket gives a plugin, as far as our plugin uses it: constants, database helpers, signals, URL matchers, plugin and form bases.
// Written for the tests from what a real osTicket was seen to do; nothing of osTicket's code is in it.

error_reporting(E_ALL);
ini_set('display_errors', '0');
define('INCLUDE_DIR', __DIR__ . '/include/');
define('TABLE_PREFIX', 'ost_');
define('THIS_VERSION', 'v1.18.3');
date_default_timezone_set('UTC');
mysqli_report(MYSQLI_REPORT_OFF);
$__db = mysqli_connect('localhost', 'root', '', getenv('SHIM_DATABASE'), 0, getenv('SHIM_SOCKET'));
$__db->set_charset('utf8'); // Three bytes a letter, as osTicket's tables have it.

function db_query($sql, $log = true) {
    global $__db;
    $result = $__db->query($sql);
    if ($result === false) {
        error_log("SQL: {$__db->error}: $sql");
    }
    return $result;
}

function db_fetch_array($result) {
    return $result instanceof mysqli_result ? $result->fetch_assoc() : null;
}

function db_insert_id() {
    global $__db;
    return $__db->insert_id;
}

function db_real_escape($value) {
    global $__db;
    return $__db->real_escape_string($value);
}

/** A statement with `?` places: the shim's own short way. */
function sql($statement, ...$values) {
    $parts = explode('?', $statement);
    $whole = array_shift($parts);
    foreach ($parts as $part) {
        $value = array_shift($values);
        $whole .= ($value === null ? 'NULL' : "'" . db_real_escape((string) $value) . "'") . $part;
    }
    $result = db_query($whole);
    if ($result === false) {
        throw new RuntimeException('shim: a statement failed');
    }
    return $result instanceof mysqli_result ? $result->fetch_all(MYSQLI_ASSOC) : db_insert_id();
}

class Signal {
    private static array $listeners = [];

    public static function connect($signal, $listener, $class = null) {
        self::$listeners[$signal][] = [$listener, $class];
    }

    public static function send($signal, $object, &$data = null) {
        foreach (self::$listeners[$signal] ?? [] as [$listener, $class]) {
            if ($class === null || is_a($object, $class)) {
                call_user_func_array($listener, [$object, &$data]);
            }
        }
    }
}

class Application {
    public static array $staff_apps = [];

    public static function registerStaffApp($desc, $href, $info = []) {
        self::$staff_apps[] = $info + ['desc' => $desc, 'href' => $href];
    }
}

class Dispatcher {
    private array $matchers = [];

    public function append($matcher) {
        $this->matchers[] = $matcher;
    }

    public function resolve($path) {
        foreach ($this->matchers as [$pattern, $handler, $method]) {
            if ($method === $_SERVER['REQUEST_METHOD'] && preg_match("@$pattern@", $path, $found)) {
                return $handler(...array_slice($found, 1));
            }
        }
        answer(400, 'URL not supported');
    }
}

function url_post($pattern, $handler) {
    return [$pattern, $handler, 'POST'];
}

function url_get($pattern, $handler) {
    return [$pattern, $handler, 'GET'];
}

function answer($status, $text, $type = 'text/html') {
    http_response_code($status);
    header("Content-Type: $type; charset=UTF-8");
    header('Content-Length: ' . strlen($text));
    echo $text;
    exit;
}

class TextboxField {
    public array $errors = [];

    public function __construct(public array $options) {
    }

    public function addError($sentence) {
        $this->errors[] = $sentence;
    }
}

class BooleanField extends TextboxField {
}

class Form {
    public function __construct(private array $fields) {
    }

    public function getField($name) {
        return $this->fields[$name];
    }
}

abstract class PluginConfig {
    private array $values;
    private Form $form;

    public function __construct() {
        $this->values = array_column(sql('SELECT name, value FROM ost_shim_config'), 'value', 'name');
        $this->form = new Form($this->getOptions());
    }

    public function get($name, $default = null) {
        return $this->values[$name] ?? $default;
    }

    public function getForm() {
        return $this->form;
    }

    /** As the admin panel does it: nothing is kept of what pre_save refuses. */
    public function save(array $given) {
        $errors = [];
        if (!$this->pre_save($given, $errors) || $errors) {
            return $errors;
        }
        foreach ($given as $name => $value) {
            sql('REPLACE INTO ost_shim_config (name, value) VALUES (?, ?)', $name, (string) $value);
        }
        return [];
    }
}

abstract class Plugin {
    public $config_class;
    private $config;

    public function getConfig() {
        return $this->config ??= new $this->config_class();
    }
}
