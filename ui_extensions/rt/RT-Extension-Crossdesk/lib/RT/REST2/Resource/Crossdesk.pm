package RT::REST2::Resource::Crossdesk;

use strict;
use warnings;
use Moose;
use namespace::autoclean;

extends 'RT::REST2::Resource';

=head1 NAME

RT::REST2::Resource::Crossdesk - C<GET /REST/2.0/crossdesk>: that the extension is there, and how it is set

=cut

sub dispatch_rules {
    return Path::Dispatcher::Rule::Regex->new( regex => qr{^/crossdesk/?$} );
}

sub charsets_provided      { [ 'utf-8' ] }
sub default_charset        { 'utf-8' }
sub allowed_methods        { ['GET'] }
sub content_types_provided { [ { 'application/json' => 'to_json' } ] }

sub to_json {
    my $self = shift;
    my $ours = 'RT::Extension::Crossdesk';
    return JSON::to_json( {
        Version    => $ours->VERSION,
        IsBridge   => $ours->IsBridge( $self->current_user ) ? \1 : \0,
        HasWebhook => length( RT->Config->Get('CrossdeskWebhook') // '' ) ? \1 : \0,
        Guards     => $ours->Setting( 'Guards', 1 ) ? \1 : \0,
    } );
}

__PACKAGE__->meta->make_immutable;

1;
