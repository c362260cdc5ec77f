-- The columns of osTicket's tables that the plugin and this shim use.
CREATE TABLE ost_ticket (ticket_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ticket_pid INT UNSIGNED NULL, number VARCHAR(20), user_id INT NOT NULL,
  status_id INT NOT NULL DEFAULT 1, dept_id INT NOT NULL DEFAULT 1, staff_id INT NOT NULL DEFAULT 0, lock_id INT NOT NULL DEFAULT 0,
  flags INT NOT NULL DEFAULT 0, isanswered TINYINT NOT NULL DEFAULT 0, source VARCHAR(10) NOT NULL, lastupdate DATETIME NULL,
  duedate DATETIME NULL, isoverdue TINYINT NOT NULL DEFAULT 0) DEFAULT CHARSET=utf8;
CREATE TABLE ost_ticket_status (id INT PRIMARY KEY, name VARCHAR(60), state VARCHAR(16), mode INT, sort INT);
INSERT INTO ost_ticket_status VALUES (1,'Open','open',3,1),(2,'Resolved','closed',1,2),(3,'Closed','closed',3,3),(5,'Deleted','deleted',3,5);
CREATE TABLE ost_ticket_priority (priority_id INT PRIMARY KEY, priority VARCHAR(60), priority_desc VARCHAR(30));
INSERT INTO ost_ticket_priority VALUES (1,'low','Low'),(2,'normal','Normal'),(3,'high','High');
CREATE TABLE ost_ticket__cdata (ticket_id INT PRIMARY KEY, subject TEXT, priority TEXT) DEFAULT CHARSET=utf8;
CREATE TABLE ost_department (id INT PRIMARY KEY, name VARCHAR(128), flags INT) DEFAULT CHARSET=utf8;
INSERT INTO ost_department VALUES (1,'Support',4),(2,'Formal',4),(3,'Asleep',0);
CREATE TABLE ost_staff (staff_id INT PRIMARY KEY, username VARCHAR(32), email VARCHAR(128), name VARCHAR(64));
INSERT INTO ost_staff VALUES (1,'ada','ada@lab.example','Ada Agent'),(2,'bo','bo@lab.example','Bo Second');
CREATE TABLE ost_user (id INT AUTO_INCREMENT PRIMARY KEY, default_email_id INT NOT NULL, name VARCHAR(128), updated DATETIME NULL) DEFAULT CHARSET=utf8;
CREATE TABLE ost_user_email (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, address VARCHAR(255), UNIQUE KEY address (address)) DEFAULT CHARSET=utf8;
CREATE TABLE ost_lock (lock_id INT AUTO_INCREMENT PRIMARY KEY, staff_id INT NOT NULL, expire DATETIME NOT NULL, code VARCHAR(20));
CREATE TABLE ost_thread (id INT AUTO_INCREMENT PRIMARY KEY, object_id INT NOT NULL, object_type CHAR(1) NOT NULL, extra TEXT NULL);
CREATE TABLE ost_thread_entry (id INT AUTO_INCREMENT PRIMARY KEY, pid INT NOT NULL DEFAULT 0, thread_id INT NOT NULL, staff_id INT NOT NULL DEFAULT 0,
  user_id INT NOT NULL DEFAULT 0, type CHAR(1) NOT NULL, flags INT NOT NULL DEFAULT 0, poster VARCHAR(128) NOT NULL DEFAULT '',
  source VARCHAR(32) NOT NULL DEFAULT '', title VARCHAR(255) NULL, body TEXT NULL, format VARCHAR(16) NOT NULL, recipients TEXT NULL,
  created DATETIME NOT NULL) DEFAULT CHARSET=utf8;
CREATE TABLE ost_thread_entry_email (id INT AUTO_INCREMENT PRIMARY KEY, thread_entry_id INT NOT NULL, mid VARCHAR(255) NOT NULL, KEY mid (mid)) DEFAULT CHARSET=utf8;
CREATE TABLE ost_thread_event (id INT AUTO_INCREMENT PRIMARY KEY, thread_id INT NOT NULL, event_id INT NULL, data VARCHAR(1024) NULL,
  username VARCHAR(128) NOT NULL) DEFAULT CHARSET=utf8;
CREATE TABLE ost_file (id INT AUTO_INCREMENT PRIMARY KEY, type VARCHAR(255), size BIGINT, name VARCHAR(255), data LONGBLOB) DEFAULT CHARSET=utf8;
CREATE TABLE ost_attachment (id INT AUTO_INCREMENT PRIMARY KEY, object_id INT NOT NULL, type CHAR(1) NOT NULL, file_id INT NOT NULL, name VARCHAR(255),
  inline TINYINT NOT NULL DEFAULT 0) DEFAULT CHARSET=utf8;
CREATE TABLE ost_form (id INT AUTO_INCREMENT PRIMARY KEY, type VARCHAR(8), flags INT, title VARCHAR(255), instructions VARCHAR(512), name VARCHAR(64),
  notes TEXT, created DATETIME, updated DATETIME) DEFAULT CHARSET=utf8;
CREATE TABLE ost_form_field (id INT AUTO_INCREMENT PRIMARY KEY, form_id INT, flags INT, type VARCHAR(255), label VARCHAR(255), name VARCHAR(64),
  configuration TEXT, sort INT, hint VARCHAR(512), created DATETIME, updated DATETIME) DEFAULT CHARSET=utf8;
CREATE TABLE ost_form_entry (id INT AUTO_INCREMENT PRIMARY KEY, form_id INT, object_id INT, object_type CHAR(1), sort INT, created DATETIME, updated DATETIME);
CREATE TABLE ost_form_entry_values (entry_id INT, field_id INT, value TEXT, value_id INT NULL, PRIMARY KEY (entry_id, field_id)) DEFAULT CHARSET=utf8;
INSERT INTO ost_form (id, type, flags, title, name) VALUES (2,'T',0,'Ticket Details','');
INSERT INTO ost_form_field (form_id, flags, type, label, name, sort) VALUES (2,1,'text','Issue Summary','subject',1),(2,1,'priority','Priority','priority',2);
CREATE TABLE ost_ban (address VARCHAR(255) PRIMARY KEY);
CREATE TABLE ost_mail (id INT AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(20), address VARCHAR(255));
CREATE TABLE ost_shim_config (name VARCHAR(64) PRIMARY KEY, value TEXT) DEFAULT CHARSET=utf8;
CREATE TABLE ost_plugin (id INT PRIMARY KEY, install_path VARCHAR(60));
CREATE TABLE ost_plugin_instance (id INT PRIMARY KEY, plugin_id INT, flags INT);
INSERT INTO ost_plugin VALUES (1,'plugins/crossdesk');
INSERT INTO ost_plugin_instance VALUES (1,1,1);
CREATE TABLE ost_team (team_id INT PRIMARY KEY, name VARCHAR(125));
CREATE TABLE ost_team_member (team_id INT, staff_id INT);
INSERT INTO ost_team VALUES (1,'Social');
INSERT INTO ost_team_member VALUES (1,1);
