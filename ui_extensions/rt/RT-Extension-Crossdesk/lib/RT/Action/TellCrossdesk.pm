package RT::Action::TellCrossdesk;

use strict;
use warnings;
use base 'RT::Action';

=head1 NAME

RT::Action::TellCrossdesk - tells the bridge at once what happened in a ticket; for scrips of the batch stage

=cut

sub Prepare { return 1 }

sub Commit {
    my $self = shift;
    return RT::Extension::Crossdesk->Tell( @{ $self->TicketObj->TransactionBatch || [] } );
}

1;
