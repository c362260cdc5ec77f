# frozen_string_literal: true

Zammad::Application.routes.draw do
  api_path = Rails.configuration.api_path

  match "#{api_path}/crossdesk/panel/:ticket_id",                     to: 'crossdesk#show',  via: :get
  match "#{api_path}/crossdesk/panel/:ticket_id/preflight",           to: 'crossdesk#press', via: :post
  match "#{api_path}/crossdesk/panel/:ticket_id/actions/:press_name", to: 'crossdesk#press', via: :post
  match "#{api_path}/crossdesk/page/:ticket_id",                      to: 'crossdesk#page',  via: :get
end
