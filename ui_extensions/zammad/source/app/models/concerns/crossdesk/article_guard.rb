# frozen_string_literal: true

# Refuses an agent's reply that the bridge would hold anyway, before it exists and with the reason: in a formal ticket that is public, and while somebody
# else has the conversation. And an internal note does not become public afterwards: nobody would be told of it. Triggers and the bridge itself pass.
module Crossdesk::ArticleGuard
  extend ActiveSupport::Concern

  SECONDS = 1.5

  included do
    validate :crossdesk_reply, on: :create
    validate :crossdesk_flip, on: :update
  end

  private

  def crossdesk_reply
    return if internal || sender&.name != 'Agent' || Crossdesk::Desk::REPLIES.exclude?(type&.name)

    user = crossdesk_author
    crossdesk_refusal(user).try { |text| errors.add(:base, text) } if user
  end

  def crossdesk_flip
    return if !internal_changed?(from: true, to: false) || !crossdesk_author

    errors.add(:base, 'A note that was internal is not sent to the customer. Write the reply anew.')
  end

  # Whoever writes here as a person, in a ticket of the bridge's; nil if nothing is to be guarded.
  def crossdesk_author
    return if !Crossdesk::Desk.ours?(ticket) || !Crossdesk::Desk.guards?

    user = Crossdesk::Desk.person
    user if user && !Crossdesk::Desk.bridge?(user)
  end

  def crossdesk_refusal(user)
    answer = Crossdesk::Desk.relay.ask('GET', ticket.id, '', Crossdesk::Desk.agent(user), seconds: SECONDS)
    return if answer.status == 404
    return 'Crossdesk does not answer, so nothing would be sent. Your text was not lost: try again, or make it an internal note.' if answer.status != 200

    told = JSON.parse(answer.body)
    lock = told['lock']
    if lock && !lock['mine']
      return "#{lock['holder']} has this conversation and may be answering already. Make it an internal note, or take over first."
    end
    return if !told.dig('stage', 'holds_public') || told.dig('thread', 'visibility') != 'public' || ticket.try(:cd_reply_as) == 'private'

    'This is a formal ticket now, so nothing more is posted in public. Make it an internal note, or choose "Private message".'
  end
end
