# frozen_string_literal: true

class Controllers::CrossdeskControllerPolicy < Controllers::ApplicationControllerPolicy
  default_permit!('ticket.agent')
end
