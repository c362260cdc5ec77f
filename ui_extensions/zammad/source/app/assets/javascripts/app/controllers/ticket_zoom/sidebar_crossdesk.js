// The tab "Crossdesk" beside the bridge's tickets. Plain JavaScript of 2009, as Zammad's asset pipeline takes it in every version; the panel itself stands in
// public/assets and is loaded when the first such ticket is opened.
(function () {
  'use strict';
  var SCRIPT = '/assets/crossdesk/@PANEL@/cd-panel.js';
  App.CrossdeskLimits = {};

  function load() {
    if (document.querySelector('script[src="' + SCRIPT + '"]')) { return; }
    var script = document.createElement('script');
    script.src = SCRIPT;
    document.head.appendChild(script);
  }

  function CrossdeskSidebar(params) {
    this.ticket = params.ticket;
  }

  CrossdeskSidebar.prototype.sidebarItem = function () {
    var ticket = this.ticket;
    if (!ticket || !ticket.cd_state || !App.Config.get('crossdesk_panel') || ticket.currentView() !== 'agent') { return; }
    return { name: 'crossdesk', badgeIcon: 'cloud', sidebarHead: 'Crossdesk', sidebarCallback: this.show.bind(this), sidebarActions: [] };
  };

  CrossdeskSidebar.prototype.reload = function (args) {
    if (args && args.ticket) { this.ticket = args.ticket; }
  };

  CrossdeskSidebar.prototype.show = function (el) {
    var place = el.get(0), page = document.createElement('a'), api = App.Config.get('api_path') + '/crossdesk/', sidebar = this;
    load();
    page.href = api + 'page/' + this.ticket.id;
    page.target = '_blank';
    page.rel = 'noopener';
    page.textContent = App.i18n.translatePlain('Open on a page of its own');
    el.empty();
    place.style.minHeight = '1px';
    place.appendChild(page);
    // What is set on an element before its script has come is lost.
    customElements.whenDefined('cd-panel').then(function () {
      if (!sidebar.panel) { sidebar.panel = sidebar.build(api); }
      sidebar.rest(place);
    });
  };

  // Tabs that nobody sees ask for nothing.
  CrossdeskSidebar.prototype.rest = function (place) {
    var panel = this.panel;
    if (this.observer) { this.observer.disconnect(); }
    this.observer = new IntersectionObserver(function (entries) {
      if (!entries[entries.length - 1].isIntersecting) { panel.remove(); } else if (panel.parentNode !== place) { place.insertBefore(panel, place.firstChild); }
    });
    this.observer.observe(place);
  };

  CrossdeskSidebar.prototype.build = function (api) {
    var ticket = this.ticket, panel = document.createElement('cd-panel'), attributes = {
      src: api + 'panel/' + ticket.id,
      media: App.Config.get('crossdesk_panel').replace(/\/panel\/[^/]*\/*$/, ''),
      theme: document.documentElement.getAttribute('data-theme') === 'dark' ? 'dark' : 'light'
    };
    Object.keys(attributes).forEach(function (name) { panel.setAttribute(name, attributes[name]); });
    panel.headers = function () { return { 'X-CSRF-Token': App.Ajax.token() || '' }; };
    panel.addEventListener('cd-snapshot', function (event) { App.CrossdeskLimits[ticket.id] = event.detail.limits; });
    panel.addEventListener('cd-open-ticket', function (event) {
      event.preventDefault();
      location.hash = '#ticket/zoom/' + encodeURIComponent(event.detail.ref);
    });
    this.attend(panel);
    return panel;
  };

  // The panel says what stands against a reply while it is written.
  CrossdeskSidebar.prototype.attend = function (panel) {
    document.addEventListener('focusin', function (event) {
      var zoom = panel.closest('.ticketZoom'), add = event.target.closest && event.target.closest('.article-add');
      if (!zoom || !add || !zoom.contains(add)) { return; }
      var field = add.querySelector('[data-name="body"]'), tell = function () { panel.toggleAttribute('internal', add.classList.contains('is-internal')); };
      tell();
      panel.composer = field;
      if (!add.crossdeskSeen) {
        add.crossdeskSeen = new MutationObserver(tell);
        add.crossdeskSeen.observe(add, { attributes: true, attributeFilter: ['class'] });
      }
    });
  };

  App.Config.set('150-Crossdesk', CrossdeskSidebar, 'TicketZoomSidebar');
})();
