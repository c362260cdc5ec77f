# frozen_string_literal: true

# Keeps a formal ticket open until the customer has confirmed, also against triggers and bulk edits, which Zammad's core workflows do not see. The bridge
# and supervisors may close it; merging is followed by the bridge.
module Crossdesk::TicketGuard
  extend ActiveSupport::Concern

  included do
    validate :crossdesk_closing, on: :update
  end

  private

  def crossdesk_closing
    return if !state_id_changed? || state&.state_type&.name != 'closed'
    return if !Crossdesk::Desk.ours?(self) || Crossdesk::Desk::FORMAL.exclude?(cd_state_in_database) || !Crossdesk::Desk.guards?

    user = User.find_by(id: UserInfo.current_user_id)
    return if user && (Crossdesk::Desk.bridge?(user) || Crossdesk::Desk.supervisor?(user))

    errors.add(:base, 'This ticket stays open until the customer has confirmed that it is solved. Ask them by "Social: confirm resolution".')
  end
end
