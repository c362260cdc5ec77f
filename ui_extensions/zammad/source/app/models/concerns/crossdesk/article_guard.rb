# frozen_string_literal: true

# Refuses an agent's reply that the bridge would hold anyway, before it exists and with the reason: in a formal ticket that is public, and while somebody
# else has the conversation. An internal reply that is made public is one, too: the bridge sends it then. Triggers and the bridge itself pass.
module Crossdesk::ArticleGuard
  extend ActiveSupport::Concern

  SECONDS = 1.5

  included do
    validate :crossdesk_reply, if: -> { !internal && (new_record? || internal_changed?) }
  end

  private

  def crossdesk_reply
    return if sender&.name != 'Agent' || Crossdesk::Desk::REPLIES.exclude?(type&.name)

    user = crossdesk_author
    refusal = user && crossdesk_refusal(user)
    errors.add(:base, refusal) if refusal
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
