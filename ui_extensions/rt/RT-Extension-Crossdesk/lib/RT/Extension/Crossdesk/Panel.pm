package RT::Extension::Crossdesk::Panel;

use strict;
use warnings;

use Digest::SHA ();
use HTTP::Tiny;
use JSON ();
use MIME::Base64 ();

=head1 NAME

RT::Extension::Crossdesk::Panel - passes the panel's requests on to Crossdesk, signed for the user who asks (docs/panel.md, "Signing")

=head1 DESCRIPTION

Who asks, and whether they may, RT has decided before anything here is called. While Crossdesk does not answer, a process asks it once in five seconds only,
so that a panel never keeps RT's own pages waiting.

=cut

our $SECONDS = 5;
our $PAUSE   = 5;
our $LONGEST = 8_500_000;

my $CARRIED = qr/^(?:retry-after|cache-control|content-security-policy|content-disposition|x-content-type-options|referrer-policy)$/;
my $away_until = 0;

=head2 Place

Where Crossdesk is and what it calls this RT, from C<$CrossdeskPanel> (C<https://bridge.example/panel/rt>): C<{ root, helpdesk, secret }>; nothing where there
is no panel.

=cut

sub Place {
    my $ours   = 'RT::Extension::Crossdesk';
    my $secret = $ours->Setting( 'PanelSecret', '' );
    return unless length $secret;
    return unless $ours->Setting( 'Panel', '' ) =~ m{^(https?://[^?#]+?)/panel/([A-Za-z0-9_-]+)/*\z};
    return { root => $1, helpdesk => $2, secret => $secret };
}

=head2 Agent USER

What Crossdesk is told of a user: id, login, name, role, and the names of the groups that they are in.

=cut

sub Agent {
    my ( $class, $user ) = @_;
    my $leaders = RT::Extension::Crossdesk->Setting( 'Supervisors', '' );
    my $groups = RT::Groups->new( RT->SystemUser );
    $groups->LimitToUserDefinedGroups;
    $groups->WithMember( PrincipalId => $user->PrincipalId, Recursively => 1 );
    my @names = map { substr $_->Name, 0, 200 } @{ $groups->ItemsArrayRef };
    my $role
        = $user->HasRight( Right => 'SuperUser', Object => RT->System ) ? 'admin'
        : ( length $leaders and grep { $_ eq $leaders } @names )        ? 'supervisor'
        :                                                                 'agent';
    return {
        id     => $user->Id . '',
        login  => substr( $user->Name, 0, 200 ),
        name   => substr( $user->RealName || $user->Name, 0, 200 ),
        role   => $role,
        groups => [ @names > 50 ? @names[ 0 .. 49 ] : @names ],
    };
}

=head2 Ask PLACE, METHOD, PATH, BODY, AGENT

Crossdesk's answer: C<( status, { header => value }, content )>; 503 where it gives none. PATH begins with C</panel/>. Without AGENT the request is not signed: for
pictures, whose addresses are.

=cut

sub Ask {
    my ( $class, $place, $method, $path, $body, $agent ) = @_;
    return _away() if time < $away_until;
    my %headers = $agent ? $class->Signed( $place->{secret}, $method, $path, $body, $agent ) : ();
    my $answer = HTTP::Tiny->new( timeout => $SECONDS, max_redirect => 0, max_size => $LONGEST, verify_SSL => 1 )->request(
        $method, $place->{root} . $path,
        { headers => { Accept => '*/*', %headers }, ( length $body ? ( content => $body ) : () ) },
    );
    if ( $answer->{status} == 599 ) {
        $away_until = time + $PAUSE;
        RT->Logger->warning("Crossdesk's panel at $place->{root} does not answer: $answer->{content}");
        return _away();
    }
    my %carried = map { $_ => $answer->{headers}{$_} } grep {/$CARRIED/} keys %{ $answer->{headers} };
    $carried{'content-type'} = $answer->{headers}{'content-type'} // 'application/octet-stream';
    return ( $answer->{status}, \%carried, $answer->{content} );
}

=head2 Signed SECRET, METHOD, PATH, BODY, AGENT

The headers that make Crossdesk believe who asks.

=cut

sub Signed {
    my ( $class, $secret, $method, $path, $body, $agent ) = @_;
    my ( $told, $time ) = ( _packed($agent), time );
    my $signed = join "\n", 'crossdesk-relay', $method, $path, $told, $time, Digest::SHA::sha256_hex($body);
    return (
        'Content-Type'          => 'application/json',
        'X-Crossdesk-Agent'     => $told,
        'X-Crossdesk-Time'      => $time,
        'X-Crossdesk-Signature' => 'v1=' . Digest::SHA::hmac_sha256_hex( $signed, $secret ),
    );
}

=head2 Link PLACE, TICKET, AGENT

An address that opens the panel on a page of its own: once, within a minute.

=cut

sub Link {
    my ( $class, $place, $ticket, $agent ) = @_;
    open my $random, '<:raw', '/dev/urandom' or die "no random bytes: $!";
    read( $random, my $word, 18 ) == 18 or die 'too few random bytes';
    my $told = _packed( {
        helpdesk => $place->{helpdesk}, ticket => "$ticket", agent => $agent, until => time + 60, word => MIME::Base64::encode_base64url($word),
    } );
    return "$place->{root}/panel/-/page#$told." . Digest::SHA::hmac_sha256_hex( "crossdesk-link\n$told", $place->{secret} );
}

sub _packed { return MIME::Base64::encode_base64url( JSON->new->canonical->utf8->encode( $_[0] ) ) }

sub _away {
    return ( 503, { 'content-type' => 'application/json', 'retry-after' => $PAUSE }, '{"error":{"code":"away","text":"Crossdesk does not answer. Nothing was done."}}' );
}

1;
