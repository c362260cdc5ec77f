# frozen_string_literal: true

require 'base64'
require 'digest'
require 'json'
require 'net/http'
require 'openssl'
require 'securerandom'
require 'uri'

module Crossdesk
  # Passes the panel's requests on to the bridge, signed for the agent who asks (Crossdesk's docs/panel.md, "Signing"). Knows nothing of Zammad.
  class Relay
    ADDRESS = %r{\A(https?://[^?#\s]+?)/panel/([A-Za-z0-9_-]+)/*\z}
    CARRIED = %w[content-type retry-after cache-control].freeze
    LONGEST = 2_000_000
    Answer = Struct.new(:status, :headers, :body)

    attr_reader :root, :helpdesk

    # The relay to `address` (https://bridge.example.com/panel/support); nil where there is no panel.
    def self.to(address, secret)
      found = ADDRESS.match(address.to_s)
      new(found[1], found[2], secret) if found && !secret.to_s.empty?
    end

    def initialize(root, helpdesk, secret)
      @root = root
      @helpdesk = helpdesk
      @secret = secret
    end

    # The bridge's answer about a ticket; 503 where it gives none. `rest` is '', '/preflight' or '/actions/NAME', with its query.
    def ask(verb, ticket, rest, agent, body: '', seconds: 5)
      path = "/panel/#{helpdesk}/#{ticket}#{rest}"
      uri = URI.parse("#{root}#{path}")
      headers = { 'Accept' => 'application/json' }.merge(signed(verb, path, body, agent, Time.now.to_i))
      request = Net::HTTPGenericRequest.new(verb, !body.empty?, true, uri.request_uri, headers)
      request.body = body unless body.empty?
      options = { use_ssl: uri.scheme == 'https', open_timeout: [seconds, 1.5].min, read_timeout: seconds, write_timeout: seconds }
      answer = Net::HTTP.start(uri.hostname, uri.port, **options) { |http| http.request(request) }
      return away if answer.body.to_s.bytesize > LONGEST

      Answer.new(answer.code.to_i, CARRIED.to_h { |name| [name, answer[name]] }.compact, answer.body.to_s)
    rescue SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError, URI::InvalidURIError
      away
    end

    # The headers that make the bridge believe who asks.
    def signed(verb, path, body, agent, time)
      told = packed(agent)
      line = ['crossdesk-relay', verb, path, told, time.to_s, Digest::SHA256.hexdigest(body)].join("\n")
      {
        'Content-Type'          => 'application/json',
        'X-Crossdesk-Agent'     => told,
        'X-Crossdesk-Time'      => time.to_s,
        'X-Crossdesk-Signature' => "v1=#{seal(line)}",
      }
    end

    # An address that opens the panel on a page of its own: once, within a minute.
    def link(ticket, agent, time)
      told = packed(helpdesk: helpdesk, ticket: ticket.to_s, agent: agent, until: time + 60, word: SecureRandom.urlsafe_base64(18))
      "#{root}/panel/-/page##{told}.#{seal("crossdesk-link\n#{told}")}"
    end

    private

    def packed(content)
      Base64.urlsafe_encode64(JSON.generate(content), padding: false)
    end

    def seal(line)
      OpenSSL::HMAC.hexdigest('SHA256', @secret, line)
    end

    def away
      error = { code: 'away', text: 'Crossdesk does not answer. Nothing was done.' }
      Answer.new(503, { 'content-type' => 'application/json', 'retry-after' => '5' }, JSON.generate(error: error))
    end
  end
end
