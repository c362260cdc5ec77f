# frozen_string_literal: true

module Crossdesk
  # What the add-on knows of this Zammad: where the bridge is, who is who for it, and which tickets are its own.
  module Desk
    BRIDGE = 'Crossdesk'
    SUPERVISOR = 'Social Supervisor'
    FORMAL = %w[handoff formal confirming].freeze
    REPLIES = ['crossdesk message', 'phone', 'web', 'chat'].freeze

    module_function

    def relay
      Crossdesk::Relay.to(Setting.get('crossdesk_panel'), Setting.get('crossdesk_panel_secret'))
    end

    def guards?
      Setting.get('crossdesk_guards') && relay
    end

    # The bridge's own attribute, absent where `crossdesk helpdesk apply` was never run.
    def ours?(ticket)
      ticket.respond_to?(:cd_state) && ticket.cd_state.present?
    end

    def bridge?(user)
      role?(user, BRIDGE)
    end

    def supervisor?(user)
      role?(user, SUPERVISOR)
    end

    # The person who acts through Zammad's pages or API; nil for triggers, schedulers and the console.
    def person
      return if ApplicationHandleInfo.current != 'application_server'

      User.find_by(id: UserInfo.current_user_id)
    end

    # As the bridge is told of an agent.
    def agent(user)
      groups = Group.where(id: user.group_ids_access('read')).pluck(:name)
      {
        id:     user.id.to_s,
        login:  user.login.to_s[0, 200],
        name:   user.fullname.to_s[0, 200],
        role:   agent_role(user),
        groups: (user.roles.map(&:name) + groups).uniq.first(50).map { |name| name[0, 200] },
      }
    end

    def agent_role(user)
      return 'admin' if user.permissions?('admin')

      supervisor?(user) ? 'supervisor' : 'agent'
    end

    def role?(user, name)
      user.roles.any? { |role| role.name == name }
    end
  end
end
