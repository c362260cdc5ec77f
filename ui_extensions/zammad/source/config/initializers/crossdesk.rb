# frozen_string_literal: true

# Adds the guards to Zammad's models. Where a newer Zammad has renamed one, that guard is left out with a line in the log, and the bridge's own remain.
Rails.application.reloader.to_prepare do
  { 'Ticket::Article' => 'Crossdesk::ArticleGuard', 'Ticket' => 'Crossdesk::TicketGuard' }.each do |model, guard|
    found = model.safe_constantize
    if found
      found.include(guard.constantize)
    else
      Rails.logger.warn("Crossdesk: there is no #{model} any more, so #{guard} guards nothing; install the add-on that belongs to this Zammad.")
    end
  end
end
