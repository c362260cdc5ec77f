# Prepares a Request Tracker 5 for Crossdesk: queues, custom fields, the bridge's user with its rights, the web hook.
#
# Run by RT's own tool, as often as you like (it changes only what differs):
#
#   CROSSDESK_QUEUES=Social,Formal CROSSDESK_USER=crossdesk CROSSDESK_PASSWORD=... \
#   CROSSDESK_WEBHOOK_URL=https://bridge.example/in/helpdesk/rt CROSSDESK_WEBHOOK_SECRET=... \
#   rt-setup-database-5 --action insert --skip-create --datafile seed.pl
#
# Without a webhook URL no scrip is made and the bridge polls. An URL of the form file:/path names a file whose first line is the
# address, read at each event, so that it can change while RT runs.
#
# With CROSSDESK_REMOVE=1 it takes its work back instead: the scrip goes, the rights go, fields and user are disabled (RT deletes none that were
# used), queues and tickets stay.
#
# Where RT-Extension-Crossdesk is installed, this is its etc/initialdata: the web hook is then the extension's action, which takes address and
# secret from RT's own settings.

use strict;
use warnings;

our @Final = ( sub {
    my $wanted = sub {
        my ( $name, $default ) = @_;
        my $value = $ENV{"CROSSDESK_$name"} // $default;
        die "CROSSDESK_$name is not set; nothing was changed\n" unless defined $value;
        return $value;
    };
    my $system = RT->SystemUser;
    my @queue_names = grep {length} split /\s*,\s*/, $wanted->('QUEUES');
    my $user_name   = $wanted->( 'USER', 'crossdesk' );
    my $password    = $wanted->( 'PASSWORD', '' );
    my $url         = $wanted->( 'WEBHOOK_URL', '' );
    my $secret      = $wanted->( 'WEBHOOK_SECRET', '' );
    my $is_extended = grep { $_ eq 'RT::Extension::Crossdesk' } RT->Config->Get('Plugins');
    my $is_removing = $wanted->( 'REMOVE', '' );
    die "CROSSDESK_WEBHOOK_SECRET is not set; nothing was changed\n" if length $url and not length $secret and not $is_extended;

    my $check = sub {
        my ( $ok, $message ) = @_;
        die "RT refused: $message\n" unless $ok;
    };

    my $description = 'Crossdesk: tell the bridge';
    if ($is_removing) {
        my $scrip = RT::Scrip->new($system);
        $scrip->LoadByCols( Description => $description );
        $check->( $scrip->Delete ) if $scrip->Id;
        my $action = RT::ScripAction->new($system);
        $action->LoadByCols( ExecModule => 'TellCrossdesk' );
        $check->( $action->Delete ) if $action->Id;

        my $fields = RT::CustomFields->new($system);
        $fields->Limit( FIELD => 'Name', OPERATOR => 'STARTSWITH', VALUE => 'Crossdesk ' );
        my @fields = @{ $fields->ItemsArrayRef };
        my $bot    = RT::User->new($system);
        $bot->Load($user_name);
        my $own = RT::Group->new($system);
        $own->LoadACLEquivalenceGroup( $bot->PrincipalObj ) if $bot->Id;
        my $rights = RT::ACL->new($system);
        $rights->UnLimit;
        for my $right ( @{ $rights->ItemsArrayRef } ) {
            my $is_bots = $own->Id && $right->PrincipalId == $own->Id;
            my $is_fields = $right->ObjectType eq 'RT::CustomField' && grep { $_->Id == $right->ObjectId } @fields;
            $check->( $right->Delete ) if $is_bots or $is_fields;
        }
        for my $row ( @fields, $bot->Id ? $bot : () ) {
            $check->( $row->SetDisabled(1) ) unless $row->Disabled;
        }
        return;
    }

    my @queues;
    for my $name (@queue_names) {
        my $queue = RT::Queue->new($system);
        $queue->Load($name);
        $check->( $queue->Create( Name => $name, Description => 'Conversations from social platforms' ) ) unless $queue->Id;
        push @queues, $queue;
    }

    my $bot = RT::User->new($system);
    $bot->Load($user_name);
    if ( not $bot->Id ) {
        die "CROSSDESK_PASSWORD is not set and $user_name does not exist yet\n" unless length $password;
        $check->( $bot->Create( Name => $user_name, RealName => 'Crossdesk', Password => $password, Privileged => 1 ) );
    }
    $check->( $bot->SetDisabled(0) ) if $bot->Disabled;
    if ( length $password and not $bot->IsPassword($password) ) {
        $check->( $bot->SetPassword($password) );
    }

    my $grant = sub {
        my ( $principal, $object, @rights ) = @_;
        for my $right (@rights) {
            next if $principal->HasRight( Right => $right, Object => $object );
            $check->( $principal->GrantRight( Right => $right, Object => $object ) );
        }
    };

    # RT has no narrower right than AdminUsers for making users without an e-mail address, and customers are such users. SeeGroup: who may
    # approve and who supervises, the policy says by groups.
    $grant->( $bot->PrincipalObj, $RT::System, 'AdminUsers', 'SeeGroup' );
    $grant->(
        $bot->PrincipalObj, $_,
        qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket ReassignTicket)
    ) for @queues;

    my $privileged = RT::Group->new($system);
    $privileged->LoadSystemInternalGroup('Privileged');
    my $ticket_type      = RT::Ticket->CustomFieldLookupType;
    my $transaction_type = RT::Transaction->CustomFieldLookupType;
    my @fields = (
        [ 'Crossdesk Marker',      $ticket_type,      1, 'The bridge finds its own tickets by this.', 0 ],
        [ 'Crossdesk Channel',     $ticket_type,      1, 'Where the customer wrote.', 1 ],
        [ 'Crossdesk Platform',    $ticket_type,      1, 'The social platform.', 1 ],
        [ 'Crossdesk Visibility',  $ticket_type,      1, 'public or private, as on the platform.', 1 ],
        [ 'Crossdesk Stage',       $ticket_type,      1, 'social, handoff, formal, confirming or resolved.', 1 ],
        [ 'Crossdesk Tags',        $ticket_type,      0, 'What the policy remarked.', 1 ],
        [ 'Crossdesk Action',      $ticket_type,      1, 'What the bridge shall do; it empties this when it is done.', 2,
            qw(handoff postpone undo confirm confirmed denied close release to_private request_approval approve reject take_over mark_scam
                not_scam retry) ],
        [ 'Crossdesk Reason',      $ticket_type,      1, 'Why, where the action asks for a reason.', 2 ],
        [ 'Crossdesk SLA',         $ticket_type,      1, 'The level of service that was promised.', 1 ],
        [ 'Crossdesk Type',        $ticket_type,      1, 'What sort of ticket this is.', 1 ],
        [ 'Crossdesk Message',     $transaction_type, 1, 'The bridge finds its own articles by this.', 0 ],
        [ 'Crossdesk About',       $transaction_type, 1, 'The reply that a note of the bridge is about.', 0 ],
    );
    for my $row (@fields) {
        # Shown to agents: 0 not at all, 1 to be read, 2 to be filled in.
        my ( $name, $type, $most, $description, $is_shown, @choices ) = @$row;
        my $field = RT::CustomField->new($system);
        $field->LoadByName( Name => $name, LookupType => $type, IncludeGlobal => 1, IncludeDisabled => 1 );
        $check->( $field->SetDisabled(0) ) if $field->Id and $field->Disabled;
        if ( not $field->Id ) {
            $check->( $field->Create(
                Name => $name, LookupType => $type, Type => @choices ? 'Select' : 'Freeform', MaxValues => $most, Description => $description,
            ) );
        }
        if (@choices) {
            my %is_there = map { $_->Name => 1 } @{ $field->Values->ItemsArrayRef };
            my $place = 0;
            for my $choice (@choices) {
                $place++;
                $check->( $field->AddValue( Name => $choice, SortOrder => $place ) ) unless $is_there{$choice};
            }
        }
        for my $queue (@queues) {
            $check->( $field->AddToObject($queue) ) unless $field->IsAddedToAny and ( $field->IsGlobal or $field->IsAdded( $queue->Id ) );
        }
        $grant->( $bot->PrincipalObj, $field, qw(SeeCustomField ModifyCustomField) );
        $grant->( $privileged->PrincipalObj, $field, 'SeeCustomField' )    if $is_shown;
        $grant->( $privileged->PrincipalObj, $field, 'ModifyCustomField' ) if $is_shown > 1;
    }

    if ( length $url or $is_extended ) {
        my $code = <<'CODE';
# What happened goes out as ids alone; the bridge then reads what it may read. RT waits three seconds at most, and the bridge's poll
# finds whatever did not arrive.
my ( $address, $secret, $bot ) = ( __URL__, __SECRET__, __BOT__ );
my @rows;
for my $transaction ( @{ $self->TicketObj->TransactionBatch || [] } ) {
    my ( $type, $field ) = ( $transaction->Type, $transaction->Field // '' );
    next unless $type =~ /^(?:Correspond|Comment|Status|CustomField)$/
        or $type eq 'Set'     and $field =~ /^(?:Queue|Owner)$/
        or $type eq 'AddLink' and $field eq 'MergedInto';
    next if lc $transaction->CreatorObj->Name eq lc $bot;
    push @rows, {
        id      => $transaction->Id . '',
        ticket  => $transaction->ObjectId . '',
        type    => $type,
        created => $transaction->CreatedObj->W3CDTF( Timezone => 'UTC' ),
    };
}
return 1 unless @rows;
my $ok = eval {
    require Digest::SHA;
    require HTTP::Tiny;
    require JSON;
    if ( $address =~ /^file:(.+)/ ) {
        open my $file, '<', $1 or return 1;
        $address = <$file> // '';
        $address =~ s/\s+\z//;
        return 1 unless length $address;
    }
    my $body = JSON->new->canonical->utf8->encode( { transactions => \@rows } );
    my $time = time;
    my $answer = HTTP::Tiny->new( timeout => 3, max_redirect => 0, verify_SSL => 1 )->post( $address, {
        content => $body,
        headers => {
            'Content-Type'          => 'application/json',
            'X-Crossdesk-Timestamp' => $time,
            'X-Crossdesk-Signature' => 'v1=' . Digest::SHA::hmac_sha256_hex( "$time.$body", $secret ),
        },
    } );
    die "answer $answer->{status}\n" unless $answer->{success};
    1;
};
RT->Logger->warning("Crossdesk was not told of transaction $rows[-1]{id}; its poll will find it: $@") unless $ok;
return 1;
CODE
        my $literal = sub { my $text = shift; $text =~ s/([\\'])/\\$1/g; return "'$text'" };
        my %values = ( URL => $url, SECRET => $secret, BOT => $user_name );
        $code =~ s/__(URL|SECRET|BOT)__/$literal->( $values{$1} )/ge;

        my $action = RT::ScripAction->new($system);
        if ($is_extended) {
            $action->LoadByCols( ExecModule => 'TellCrossdesk' );
            $check->( $action->Create( Name => 'Tell Crossdesk', Description => $description, ExecModule => 'TellCrossdesk' ) )
                unless $action->Id;
            $code = '';
        }
        else {
            $action->Load('User Defined');
        }
        my $scrip = RT::Scrip->new($system);
        $scrip->LoadByCols( Description => $description );
        if ( $scrip->Id ) {
            $check->( $scrip->SetScripAction( $action->Id ) ) unless $scrip->ScripActionObj->Id == $action->Id;
            $check->( $scrip->SetCustomCommitCode($code) ) unless ( $scrip->CustomCommitCode // '' ) eq $code;
        }
        else {
            $check->( $scrip->Create(
                Queue => $queues[0]->Id, Description => $description, Template => 'Blank', Stage => 'TransactionBatch',
                ScripCondition => 'User Defined', CustomIsApplicableCode => 'return 1;',
                ScripAction => $action->Id, CustomPrepareCode => 'return 1;', CustomCommitCode => $code,
            ) );
        }
        for my $queue (@queues) {
            $check->( $scrip->AddToObject( ObjectId => $queue->Id, Stage => 'TransactionBatch' ) ) unless $scrip->IsAdded( $queue->Id );
        }
    }
} );

1;
