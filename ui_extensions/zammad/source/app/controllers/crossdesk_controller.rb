# frozen_string_literal: true

# The panel's relay: Zammad's own session says who asks, Zammad's own rights whether they may, and Zammad's token guards what does something.
class CrossdeskController < ApplicationController
  prepend_before_action { authentication_check && authorize! }

  ASKED = %w[since doing before lang].freeze

  def show
    tell ticket(:agent_read_access?), 'GET', asked
  end

  def press
    rest = params[:press_name] ? "/actions/#{params[:press_name].to_s[%r{\A[a-z_]{1,40}\z}]}" : '/preflight'
    tell ticket(:agent_update_access?), 'POST', rest + asked, request.raw_post
  end

  def page
    found = ticket(:agent_read_access?)
    redirect_to relay.link(found.id, Crossdesk::Desk.agent(current_user), Time.now.to_i), allow_other_host: true
  end

  private

  def asked
    query = request.query_parameters.slice(*ASKED).transform_values(&:to_s)
    query.empty? ? '' : "?#{query.to_query}"
  end

  def tell(ticket, verb, rest, body = '')
    answer = relay.ask(verb, ticket.id, rest, Crossdesk::Desk.agent(current_user), body: body)
    answer.headers.each { |name, value| response.headers[name] = value unless name == 'content-type' }
    return head answer.status if answer.body.empty?

    render body: answer.body, status: answer.status, content_type: answer.headers['content-type']
  end

  def relay
    @relay ||= Crossdesk::Desk.relay || raise(Exceptions::Forbidden, 'The panel is not set up.')
  end

  # A ticket of the bridge's to which this agent has this access; for everybody else there is none.
  def ticket(access)
    found = Ticket.find_by(id: params[:ticket_id])
    is_theirs = found && Crossdesk::Desk.ours?(found) && TicketPolicy.new(current_user, found).public_send(access)
    is_theirs ? found : raise(ActiveRecord::RecordNotFound, 'This ticket has nothing to do with a social channel.')
  end
end
