// The type "crossdesk message" among the replies to the bridge's tickets, with the length that the platform takes, and the link "reply" below what customers said.
(function () {
  'use strict';
  var TYPE = 'crossdesk message', REPLY = 'crossdeskReply', LONGEST = 10000;

  function isOurs(ticket) {
    return Boolean(ticket && ticket.cd_state && App.Config.get('crossdesk_panel') && ticket.currentView() === 'agent');
  }

  var CrossdeskReply = {
    action: function (actions, ticket, article) {
      if (isOurs(ticket) && ticket.editable() && article.sender.name === 'Customer' && !article.internal) {
        actions.push({ name: 'reply', type: REPLY, icon: 'reply', href: '#' });
      }
      return actions;
    },

    perform: function (container, type, ticket, article, ui) {
      if (type !== REPLY) { return true; }
      ui.scrollToCompose();
      App.Event.trigger('ui::ticket::setArticleType', {
        ticket: ticket, type: App.TicketArticleType.findByAttribute('name', TYPE), article: { to: '', cc: '', in_reply_to: '' }, position: 'end'
      });
      return true;
    },

    articleTypes: function (articleTypes, ticket) {
      if (!isOurs(ticket)) { return articleTypes; }
      var limits = App.CrossdeskLimits && App.CrossdeskLimits[ticket.id], longest = (limits && limits.length) || LONGEST;
      articleTypes.push({
        name: TYPE, icon: 'cloud', attributes: [], internal: false, features: ['attachment', 'body:limit'],
        maxTextLength: longest, warningTextLength: Math.ceil(longest / 10)
      });
      return articleTypes;
    }
  };

  App.Config.set('350-Crossdesk', CrossdeskReply, 'TicketZoomArticleAction');
})();
