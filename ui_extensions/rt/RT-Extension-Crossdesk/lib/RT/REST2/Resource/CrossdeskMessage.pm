package RT::REST2::Resource::CrossdeskMessage;

use strict;
use warnings;
use Moose;
use namespace::autoclean;
use MIME::Base64;

extends 'RT::REST2::Resource::Message';

=head1 NAME

RT::REST2::Resource::CrossdeskMessage - C<POST /REST/2.0/crossdesk/ticket/ID/correspond>: a customer's message in the customer's own name

=head1 DESCRIPTION

C<POST /REST/2.0/crossdesk/ticket/ID/author> makes the requestor C<Author> the author of the ticket's first message, which the bridge has just filed
in its own name: RT lets nobody without rights open a ticket.

As RT's own C<ticket/ID/correspond>, with the author's name in C<Author> and the bridge's key in C<Marker>. Only the bridge's user may call it, and only
for a requestor of the ticket without privileges: nobody can be made to look like an agent. Message and key are committed as one.

=cut

sub dispatch_rules {
    return Path::Dispatcher::Rule::Regex->new(
        regex => qr{^/crossdesk/ticket/(\d+)/(correspond|author)$},
        block => sub {
            my ( $match, $req ) = @_;
            my $ticket = RT::Ticket->new( $req->env->{'rt.current_user'} );
            $ticket->Load( $match->pos(1) );
            return { record => $ticket, type => $match->pos(2) };
        },
    );
}

sub _add_message {
    my ( $self, %args ) = @_;
    my $ticket = $self->record;
    return ( 403, 'Only the user of the bridge may do this.' ) unless RT::Extension::Crossdesk->IsBridge( $self->current_user );
    return ( 404, 'There is no such ticket.' ) unless $ticket->Id and $ticket->CurrentUserHasRight('ShowTicket');
    return ( 403, 'The bridge may not reply here.' ) unless $ticket->CurrentUserHasRight('ReplyToTicket');
    return ( 400, 'There is no Marker.' ) unless length( $args{Marker} // '' );

    my $author = RT::CurrentUser->new;
    $author->LoadByName( $args{Author} // '' );
    return ( 400, 'There is no such Author.' ) unless $author->Id and not $author->UserObj->Disabled;
    return ( 403, 'The Author is not a customer.' ) if $author->Privileged or not $ticket->IsRequestor( $author->PrincipalId );

    return $self->_name_first( $author, $args{Marker} ) if $self->type eq 'author';

    my $mime = HTML::Mason::Commands::MakeMIMEEntity(
        Interface => 'REST',
        Body      => $args{Content},
        Type      => $args{ContentType},
        Subject   => $args{Subject},
    );
    for my $file ( @{ $args{Attachments} || [] } ) {
        $mime->attach(
            Type => $file->{FileType}, Filename => $file->{FileName}, Data => MIME::Base64::decode_base64( $file->{FileContent} ),
        );
    }

    my $own = RT::Ticket->new($author);
    $own->Load( $ticket->Id );
    RT->DatabaseHandle->BeginTransaction;
    my ( $id, $message, $transaction ) = $self->_write( $own, $mime, $args{Marker} );
    if ( not $id ) {
        RT->DatabaseHandle->Rollback;
        return ( 400, $message || 'RT gives no reason.' );
    }
    RT->DatabaseHandle->Commit;
    $self->created_transaction($transaction);
    # Scrips of the batch stage run when the ticket goes; the status below is the bridge's own doing.
    $own->ApplyTransactionBatch;

    my @said = ($message);
    if ( length( $args{Status} // '' ) ) {
        $ticket->Load( $ticket->Id );
        push @said, ( $ticket->SetStatus( $args{Status} ) )[1] if $ticket->Status ne $args{Status};
    }
    return ( 201, @said );
}

# The ticket and its first transaction, which gets the bridge's key: without that it would pass for something that the customer wrote in RT. Nothing else
# is changed, and only what the bridge itself wrote.
sub _name_first {
    my ( $self, $author, $marker ) = @_;
    my $ticket = RT::Ticket->new( RT->SystemUser );
    $ticket->Load( $self->record->Id );
    my $rows = $ticket->Transactions;
    $rows->Limit( FIELD => 'Type', VALUE => 'Create' );
    my $first = $rows->First or return ( 404, 'There is no first message.' );
    return ( 403, 'The first message is not the bridge\'s.' ) unless RT::Extension::Crossdesk->IsBridge( $first->CreatorObj );
    my $marked = RT::Transaction->new( $self->current_user );
    $marked->Load( $first->Id );
    RT->DatabaseHandle->BeginTransaction;
    my ( $is_marked, $why ) = $marked->AddCustomFieldValue( Field => 'Crossdesk Message', Value => $marker, RecordTransaction => 0 );
    if ( not $is_marked ) {
        RT->DatabaseHandle->Rollback;
        return ( 400, $why || 'RT gives no reason.' );
    }
    for my $row ( $first, $ticket ) {
        my ( $ok, $said ) = $row->__Set( Field => 'Creator', Value => $author->Id );
        if ( not $ok ) {
            RT->DatabaseHandle->Rollback;
            return ( 400, $said || 'RT gives no reason.' );
        }
    }
    RT->DatabaseHandle->Commit;
    $self->created_transaction($first);
    return ( 201, 'The first message bears its author.' );
}

# Customers have no rights in RT, so this goes below Correspond, which asks for them; the bridge's own were asked for above.
sub _write {
    my ( $self, $ticket, $mime, $marker ) = @_;
    my ( $id, $message, $transaction ) = $ticket->_RecordNote( NoteType => 'Correspond', MIMEObj => $mime );
    return ( 0, $message ) unless $id;
    my $marked = RT::Transaction->new( $self->current_user );
    $marked->Load($id);
    my ( $ok, $said ) = $marked->AddCustomFieldValue( Field => 'Crossdesk Message', Value => $marker, RecordTransaction => 0 );
    return $ok ? ( $id, $message, $transaction ) : ( 0, $said );
}

__PACKAGE__->meta->make_immutable;

1;
