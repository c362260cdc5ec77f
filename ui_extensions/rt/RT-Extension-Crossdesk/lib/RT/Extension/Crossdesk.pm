package RT::Extension::Crossdesk;

use strict;
use warnings;

our $VERSION = '0.1.0';

use RT::Extension::Crossdesk::Panel;

=head1 NAME

RT::Extension::Crossdesk - Request Tracker's side of Crossdesk

=head1 DESCRIPTION

Conversations from social platforms are tickets in RT. This extension shows agents what such a ticket is about, keeps them from answering in public
where that would not be posted, tells the bridge at once of what they did, and lets customers' messages bear their authors' names.

=head1 CONFIGURATION

In F<RT_SiteConfig.d/crossdesk.pm>:

    Plugin('RT::Extension::Crossdesk');
    Set($CrossdeskUser,    'crossdesk');                                  # the bridge's own user
    Set($CrossdeskWebhook, 'https://bridge.example/in/helpdesk/rt');      # empty: the bridge only polls
    Set($CrossdeskSecret,  '...');                                        # as webhook_secret in crossdesk.toml
    Set($CrossdeskPanel,   'https://bridge.example/panel/rt');            # empty: no panel
    Set($CrossdeskPanelSecret, '...');                                    # of `crossdesk panel secret rt`; empty: a link instead of the panel
    Set($CrossdeskSupervisors, 'Social Leads');                           # the group whose members may do what supervisors may
    Set($CrossdeskGuards,  1);                                            # 0: RT refuses nothing, the bridge alone does

C<file:PATH> in place of an address or a secret reads it from there, each time it is needed.

=cut

# What the page of RT's configuration must not show.
{
    no warnings 'once';
    $RT::Config::META{$_} = { Type => 'SCALAR', Immutable => 1, Obfuscate => sub { return 'Password not printed' } }
        for qw(CrossdeskSecret CrossdeskPanelSecret);
}

my %IS_FORMAL = map { $_ => 1 } qw(handoff formal confirming);

=head2 Setting NAME, DEFAULT

A setting of ours without the C<Crossdesk> before its name.

=cut

sub Setting {
    my ( $class, $name, $default ) = @_;
    my $value = RT->Config->Get("Crossdesk$name");
    return $default unless defined $value;
    return $value unless $value =~ /^file:(.+)/;
    open my $file, '<', $1 or return $default;
    $value = <$file> // '';
    $value =~ s/\s+\z//;
    return $value;
}

=head2 PanelVersion

What changes with the panel's files, so that browsers, which RT lets keep them, fetch new ones.

=cut

my $panel_version;

sub PanelVersion {
    my $class = shift;
    if ( not $panel_version ) {
        my $digest = Digest::SHA->new(256);
        my ($folder) = map { $_->StaticDir } grep { $_->Name eq $class } @{ RT->Plugins };
        eval { $digest->addfile( "$folder/crossdesk/$_", 'b' ) } for qw(cd-panel.js rt.js);
        $panel_version = substr $digest->hexdigest, 0, 12;
    }
    return $panel_version;
}

=head2 PSGIWrap APP

Called by RT when its web pages begin. What the panel reads is no change, wherever the request comes from; what it does, its relay guards.

=cut

sub PSGIWrap {
    my ( $class, $app ) = @_;
    no warnings 'once';
    $RT::Interface::Web::WHITELISTED_COMPONENT_ARGS{'/Crossdesk/Panel/dhandler'} = [qw(since doing before lang until by)];
    return $app;
}

=head2 IsBridge USER

Whether this user is the bridge's own.

=cut

sub IsBridge {
    my ( $class, $user ) = @_;
    return lc( $user->Name // '' ) eq lc $class->Setting( 'User', 'crossdesk' );
}

=head2 About TICKET

What the bridge wrote into a ticket's fields: C<{ channel, platform, visibility, stage, tags }>, or nothing if the ticket is not the bridge's. The caller
has seen to it that the user may see the ticket.

=cut

sub About {
    my ( $class, $ticket ) = @_;
    return unless $ticket and $ticket->Id;
    my $own = RT::Ticket->new( RT->SystemUser );
    $own->Load( $ticket->Id );
    my %about = map { lc $_ => $own->FirstCustomFieldValue("Crossdesk $_") // '' } qw(Marker Channel Platform Visibility Stage);
    return unless length delete $about{marker};
    my $tags = $own->CustomFieldValues('Crossdesk Tags');
    $about{tags} = $tags ? [ map { $_->Content } @{ $tags->ItemsArrayRef } ] : [];
    return \%about;
}

=head2 Refusal TICKET, USER, [OWNER]

Why this user's reply to the customer must not be written now: C<< { kind => 'formal', 'taken' or 'free', says => a sentence for them } >>; nothing if it
may. A C<formal> one may be written all the same, to be held by the bridge until somebody releases it. OWNER is the id of whom the same save makes the
ticket's owner: who takes a ticket that nobody has, by that very save, may answer.

=cut

sub Refusal {
    my ( $class, $ticket, $user, $new_owner ) = @_;
    return unless $class->Setting( 'Guards', 1 );
    my $about = $class->About($ticket) or return;
    my $owner = $ticket->OwnerObj;
    my $is_free = ( $owner->Id == RT->Nobody->Id or $class->IsBridge($owner) );
    if ( not $is_free and $owner->Id != $user->Id ) {
        my $says = $user->loc( '[_1] has taken this conversation and may be answering already. Nothing was sent; your text is still below. '
                . 'Make it a comment, or steal the ticket first and send it then.', $owner->Name );
        return { kind => 'taken', says => $says };
    }
    if ( $about->{visibility} eq 'public' and $IS_FORMAL{ $about->{stage} } ) {
        my $says = $user->loc( 'This conversation is a formal ticket now, so nothing more is posted in public. Nothing was sent; your text is still below. '
                . 'Make it a comment, or tick the box above the button: Crossdesk then keeps the reply until it may leave.' );
        return { kind => 'formal', says => $says };
    }
    if ( $is_free and $about->{visibility} eq 'public' and ( $new_owner // '' ) ne $user->Id ) {
        my $says = $user->loc( 'Nobody has taken this conversation, so two may answer it at once. Nothing was sent; your text is still below. '
                . 'Make yourself the owner in this form (or take the ticket) and send it again, or make it a comment.' );
        return { kind => 'free', says => $says };
    }
    return;
}

=head2 Warnings TICKET

What the bridge wrote about agents' replies that were held or did not arrive: C<< { id of the reply => id of the newest note about it } >>.

=cut

sub Warnings {
    my ( $class, $ticket ) = @_;
    my $field = RT::CustomField->new( RT->SystemUser );
    $field->LoadByName( Name => 'Crossdesk About', LookupType => RT::Transaction->CustomFieldLookupType, IncludeGlobal => 1 );
    return {} unless $field->Id;
    my $notes = RT::Transactions->new( RT->SystemUser );
    $notes->LimitToTicket( $ticket->Id );
    $notes->Limit( FIELD => 'Type', VALUE => 'Comment' );
    my $values = $notes->Join(
        TYPE => 'INNER', ALIAS1 => 'main', FIELD1 => 'id', TABLE2 => 'ObjectCustomFieldValues', FIELD2 => 'ObjectId',
    );
    $notes->Limit( ALIAS => $values, FIELD => 'ObjectType',  VALUE => 'RT::Transaction' );
    $notes->Limit( ALIAS => $values, FIELD => 'CustomField', VALUE => $field->Id );
    $notes->OrderByCols( { FIELD => 'id', ORDER => 'ASC' } );
    my %found;
    while ( my $note = $notes->Next ) {
        next unless $class->IsBridge( $note->CreatorObj );
        $found{ $note->FirstCustomFieldValue('Crossdesk About') // '' } = $note->Id;
    }
    return \%found;
}

=head2 Tell TRANSACTIONS

Posts the ids of those transactions that concern the bridge, signed, within three seconds; what did not arrive, the bridge's poll finds. Never dies.

=cut

sub Tell {
    my ( $class, @transactions ) = @_;
    my $address = $class->Setting( 'Webhook', '' );
    return 1 unless length $address;
    my @rows = map { $class->_row($_) } grep { $class->_concerns($_) } @transactions;
    return 1 unless @rows;
    my $ok = eval {
        my $body = JSON->new->canonical->utf8->encode( { transactions => \@rows } );
        my $time = time;
        my $signature = Digest::SHA::hmac_sha256_hex( "$time.$body", $class->Setting( 'Secret', '' ) );
        my $answer = HTTP::Tiny->new( timeout => 3, max_redirect => 0, verify_SSL => 1 )->post( $address, {
            content => $body,
            headers => {
                'Content-Type'          => 'application/json',
                'X-Crossdesk-Timestamp' => $time,
                'X-Crossdesk-Signature' => "v1=$signature",
            },
        } );
        die "answer $answer->{status}\n" unless $answer->{success};
        1;
    };
    RT->Logger->warning("Crossdesk was not told of transaction $rows[-1]{id}; its poll will find it: $@") unless $ok;
    return 1;
}

sub _concerns {
    my ( $class, $transaction ) = @_;
    my ( $type, $field ) = ( $transaction->Type, $transaction->Field // '' );
    return unless $type =~ /^(?:Correspond|Comment|Status|CustomField)$/
        or $type eq 'Set'     and $field =~ /^(?:Queue|Owner)$/
        or $type eq 'AddLink' and $field eq 'MergedInto';
    return if $class->IsBridge( $transaction->CreatorObj );
    # Written by the bridge in a customer's name.
    return if defined $transaction->FirstCustomFieldValue('Crossdesk Message');
    return 1;
}

sub _row {
    my ( $class, $transaction ) = @_;
    return {
        id      => $transaction->Id . '',
        ticket  => $transaction->ObjectId . '',
        type    => $transaction->Type,
        created => $transaction->CreatedObj->W3CDTF( Timezone => 'UTC' ),
    };
}

1;
