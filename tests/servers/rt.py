"""A real Request Tracker 5 from Debian's packages: SQLite and settings in its own folder, nothing in /etc or /var touched.

The launcher installs the packages when they are absent and may be installed (root, or sudo without a password).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers import debian
from tests.servers.registry import Missing, Started, free_port, spawn, wait_for
from ui_extensions.rt.pack import pack

SEED = Path(__file__).parents[2] / "plugin" / "helpdesks" / "rt" / "seed.pl"
EXTENSION = "RT-Extension-Crossdesk"
QUEUES = ("Social", "Formal", "Billing", "Technical", "Support")
_SETUP = "/usr/sbin/rt-setup-database-5"
"""Not on everybody's path."""

_SETTINGS = """\
Set($rtname, 'crossdesk.test');
Set($Organization, 'crossdesk.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{directory}/rt.sqlite');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($Timezone, 'UTC');
Set($WebSessionClass, 'Apache::Session::File');
# Passwords in tests are not worth half a second each.
Set($BcryptCost, 4);
{extension}
$RT::VarPath = '{directory}/var';
$RT::MasonDataDir = '{directory}/var/mason';
$RT::MasonSessionDir = '{directory}/var/session';
1;
"""

_EXTENDED = """\
$RT::LocalPluginPath = '{directory}/plugins';
Set(@Plugins, 'RT::Extension::Crossdesk');
Set($CrossdeskUser, 'crossdesk');
Set($CrossdeskWebhook, 'file:{directory}/hook-target');
Set($CrossdeskSecret, '{secret}');
Set($CrossdeskPanel, 'file:{directory}/panel-target');
Set($CrossdeskPanelSecret, 'file:{directory}/panel-secret');
Set($CrossdeskSupervisors, 'Leads');
"""

_STAFF = """\
our @Final = ( sub {
    my $root = RT::User->new( RT->SystemUser );
    $root->Load('root');
    $root->SetPassword( $ENV{ROOT_PASSWORD} );
    for my $row ( [ 'agent', 'Ada Agent' ], [ 'second', 'Bo Second' ] ) {
        my $agent = RT::User->new( RT->SystemUser );
        $agent->Create( Name => $row->[0], RealName => $row->[1], Password => $ENV{AGENT_PASSWORD}, Privileged => 1 );
        for my $name ( split /,/, $ENV{CROSSDESK_QUEUES} ) {
            my $queue = RT::Queue->new( RT->SystemUser );
            $queue->Load($name);
            $agent->PrincipalObj->GrantRight( Right => $_, Object => $queue )
                for qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket OwnTicket
                       TakeTicket StealTicket DeleteTicket ShowOutgoingEmail);
        }
    }
    my $bot = RT::CurrentUser->new;
    $bot->Load( $ENV{CROSSDESK_USER} );
    open my $file, '>', $ENV{TOKEN_FILE} or die $!;
    for my $owner ( $bot, $root ) {
        my $token = RT::AuthToken->new( RT->SystemUser );
        my ( $ok, $message, $text ) = $token->Create( Owner => $owner->Id, Description => 'tests' );
        print {$file} "$text\n";
    }
    close $file;
} );
1;
"""


def start_extended(directory: Path) -> Started:
    """Start it with our extension, as `crossdesk package rt` builds it."""
    return start(directory, is_extended=True)


def start(directory: Path, *, is_extended: bool = False) -> Started:
    """Start it.

    Info: `url`, `extension` (whether it is installed), `queue`, `queues`, `root_password`, `root_token`, `user`, `password`, `token` (the bridge's),
    `agent`, `second_agent`, `agent_password`, `webhook_secret`, `hook_target_file` (the address to which RT posts, see `hooks_to`; absent or empty:
    none), `panel_target_file` (see `panel_at`), and what `seed_again` takes: `directory`, `environment`.
    """
    server = _installed_server()
    port = free_port()
    config = directory / "conf.d"
    for folder in (config, directory / "plugins", directory / "var" / "mason", directory / "var" / "session"):
        folder.mkdir(parents=True)
    target = directory / "hook-target"
    secret = secrets.token_hex(24)
    extension = ""
    if is_extended:
        pack(directory / "plugins")
        extension = _EXTENDED.replace("{secret}", secret)
        (directory / "panel-target").write_text("https://bridge.example/panel/rt")
    written = _SETTINGS.replace("{extension}", extension).replace("{port}", str(port)).replace("{directory}", str(directory))
    (config / "10.pm").write_text(written)
    seed = directory / "plugins" / EXTENSION / "etc" / "initialdata" if is_extended else SEED
    token_file = directory / "token"
    passwords = {name: secrets.token_hex(12) for name in ("root", "agent", "bridge")}
    info: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}",
        "queue": QUEUES[0],
        "extension": is_extended,
        "queues": list(QUEUES),
        "root_password": passwords["root"],
        "user": "crossdesk",
        "password": passwords["bridge"],
        "agent": "agent",
        "second_agent": "second",
        "agent_password": passwords["agent"],
        "webhook_secret": secret,
        "hook_target_file": str(target),
        "panel_target_file": str(directory / "panel-target"),
    }
    environment = {
        "RT_SITE_CONFIG_DIR": str(config),
        "CROSSDESK_QUEUES": ",".join(QUEUES),
        "CROSSDESK_USER": "crossdesk",
        "CROSSDESK_PASSWORD": passwords["bridge"],
        "CROSSDESK_WEBHOOK_URL": f"file:{target}",
        "CROSSDESK_WEBHOOK_SECRET": str(info["webhook_secret"]),
        "ROOT_PASSWORD": passwords["root"],
        "AGENT_PASSWORD": passwords["agent"],
        "TOKEN_FILE": str(token_file),
    }
    staff = directory / "staff.pl"
    staff.write_text(_STAFF)
    _database(directory, environment, "init")
    _database(directory, environment, "insert", seed)
    _database(directory, environment, "insert", staff)
    process = spawn(
        [server, "--server", "Starlet", "--host", "127.0.0.1", "--port", str(port), "--max-workers", "3"],
        directory,
        env={"RT_SITE_CONFIG_DIR": str(config)},
    )
    wait_for(f"{info['url']}/REST/2.0/rt", process)
    token, root_token = token_file.read_text().split()
    info |= {"token": token, "root_token": root_token, "directory": str(directory), "environment": environment}
    return Started(info=info, pids=(process.pid,))


def start_database(directory: Path) -> dict[str, str]:
    """Only a prepared database, without a server, in `rt.sqlite`. The environment in which it was seeded, for `seed_again`."""
    _installed_server()
    config = directory / "conf.d"
    for folder in (config, directory / "var" / "mason", directory / "var" / "session"):
        folder.mkdir(parents=True)
    settings = _SETTINGS.replace("{extension}", "").replace("{port}", "1").replace("{directory}", str(directory))
    (config / "10.pm").write_text(settings)
    environment = {
        "RT_SITE_CONFIG_DIR": str(config),
        "CROSSDESK_QUEUES": ",".join(QUEUES),
        "CROSSDESK_PASSWORD": secrets.token_hex(12),
        "CROSSDESK_WEBHOOK_URL": "https://bridge.example/in/helpdesk/rt",
        "CROSSDESK_WEBHOOK_SECRET": secrets.token_hex(12),
    }
    _database(directory, environment, "init")
    seed_again(directory, environment)
    return environment


def seed_again(directory: Path, environment: dict[str, str]) -> None:
    """Run seed.pl on the RT in `directory`, as an admin does after a change."""
    _database(directory, environment, "insert", SEED)


@contextlib.contextmanager
def hooks_to(info: dict[str, Any], url: str) -> Iterator[None]:
    """Let RT post to `url` meanwhile. One test at a time, in whichever process: the others wait."""
    target = Path(info["hook_target_file"])
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target.write_text(url + "\n")
        try:
            yield
        finally:
            target.write_text("")


@contextlib.contextmanager
def panel_at(info: dict[str, Any], url: str, secret: str) -> Iterator[None]:
    """Let the extension show the panel of `url`, signed with `secret`, meanwhile. One test at a time: the others wait."""
    target = Path(info["panel_target_file"])
    before = target.read_text()
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target.write_text(url)
        target.with_name("panel-secret").write_text(secret)
        try:
            yield
        finally:
            target.write_text(before)
            target.with_name("panel-secret").write_text("")


def _database(directory: Path, environment: dict[str, str], action: str, seed: Path | None = None) -> None:
    command = [_SETUP, "--action", action, "--skip-create"]
    if seed is not None:
        command += ["--datafile", str(seed)]
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    with (directory / "setup.log").open("a") as log:
        log.write(done.stdout + done.stderr)
    if done.returncode or "Failed to run" in done.stderr:
        raise RuntimeError(f"rt-setup-database-5 --action {action} {seed or ''}: {done.stderr[-2000:]}")


def _installed_server() -> str:
    debian.install(*debian.RT)
    found = _find_server()
    if found is None:
        raise Missing(f"Debian packages {', '.join(debian.RT)} (root or sudo)")
    return found


def _find_server() -> str | None:
    if not Path(_SETUP).exists():
        return None
    files = subprocess.run(["dpkg", "-L", "request-tracker5"], capture_output=True, text=True, check=True).stdout.splitlines()
    return next((name for name in files if name.endswith("libexec/rt-server")), None)
