# frozen_string_literal: true

# The add-on's settings and the type of its replies. Taken back by uninstalling; a type that articles have is only switched off, as they keep it.
class CrossdeskSettings
  TYPE = 'crossdesk message'
  SETTINGS = {
    'crossdesk_panel'        => ['Crossdesk: address of the panel', 'https://bridge.example.com/panel/NAME, where NAME is the section in crossdesk.toml.', '', true],
    'crossdesk_panel_secret' => ['Crossdesk: secret of the panel', 'What `crossdesk panel secret NAME` prints.', '', false],
    'crossdesk_guards'       => ['Crossdesk: guards', 'Refuse replies and closings that the bridge would hold or take back.', true, false],
  }.freeze

  def self.up
    SETTINGS.each do |name, (title, description, state, frontend)|
      Setting.create_if_not_exists(
        title: title, name: name, area: 'Integration::Crossdesk', description: description, options: {}, state: state,
        preferences: { permission: ['admin'] }, frontend: frontend
      )
    end
    Ticket::Article::Type.create_if_not_exists(name: TYPE, communication: true, updated_by_id: 1, created_by_id: 1)
    Ticket::Article::Type.find_by(name: TYPE).update!(active: true)
  end

  def self.down
    type = Ticket::Article::Type.find_by(name: TYPE)
    if type && Ticket::Article.exists?(type_id: type.id)
      type.update!(active: false)
    else
      type&.destroy!
    end
    Setting.where(name: SETTINGS.keys).destroy_all
  end
end
