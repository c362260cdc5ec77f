// The button in the browser's bar opens the side panel.
"use strict";
chrome.sidePanel.setPanelBehavior({ openPanelOnActionClick: true });
