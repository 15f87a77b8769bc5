BEGIN TRANSACTION;
CREATE TABLE kpi_assets_attempts (
	id INTEGER NOT NULL, 
	delivery INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	token VARCHAR(36) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	why VARCHAR(16) NOT NULL, 
	run_id VARCHAR(200) NOT NULL, 
	content_hash VARCHAR(64) NOT NULL, 
	reason TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(delivery) REFERENCES kpi_assets_deliveries (id) ON DELETE CASCADE, 
	UNIQUE (token)
);
INSERT INTO "kpi_assets_attempts" VALUES(1,1,1,'00000000-0000-0000-0000-000000000001','failed','first','run-1','v1','server away','2024-11-25 05:00:00.000000','2024-11-25 05:00:00.000000');
INSERT INTO "kpi_assets_attempts" VALUES(2,1,2,'00000000-0000-0000-0000-000000000002','sent','again','run-1','v1','','2024-11-25 06:00:00.000000','2024-11-25 06:00:00.000000');
INSERT INTO "kpi_assets_attempts" VALUES(3,2,1,'00000000-0000-0000-0000-000000000003','sent','publish','','v1','','2024-11-25 05:00:00.000000','2024-11-25 05:00:00.000000');
INSERT INTO "kpi_assets_attempts" VALUES(4,3,1,'00000000-0000-0000-0000-000000000004','unknown','first','run-0','v1','the line broke after the last byte','2024-11-18 05:00:00.000000','2024-11-18 05:00:00.000000');
CREATE TABLE kpi_assets_deliveries (
	id INTEGER NOT NULL, 
	report VARCHAR(200) NOT NULL, 
	window_start DATE NOT NULL, 
	window_end DATE NOT NULL, 
	output VARCHAR(200) NOT NULL, 
	audience VARCHAR(16) NOT NULL, 
	edition VARCHAR(200) NOT NULL, 
	plugin VARCHAR(200) NOT NULL, 
	effect VARCHAR(16) NOT NULL, 
	recipients TEXT NOT NULL, 
	reached TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	state_before VARCHAR(16), 
	reason TEXT NOT NULL, 
	content_hash VARCHAR(64) NOT NULL, 
	receipt TEXT, 
	attempts INTEGER NOT NULL, 
	token VARCHAR(36) NOT NULL, 
	lease_until DATETIME, 
	run_id VARCHAR(200) NOT NULL, 
	forced BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	changed_at DATETIME NOT NULL, 
	delivered_at DATETIME, 
	PRIMARY KEY (id), 
	CONSTRAINT kpi_assets_once UNIQUE (report, window_start, window_end, output, audience)
);
INSERT INTO "kpi_assets_deliveries" VALUES(1,'weekly','2024-11-18','2024-11-25','board','f230af1018be71f3','2024-11-24','smtp','notify','{"b5fc85e55755f9e0": "ada@example.com", "5ff860bf1190596c": "bob@example.com"}','["5ff860bf1190596c", "b5fc85e55755f9e0"]','sent','failed','','v1','{"output":"board","plugin":"smtp","effect":"notify","location":"<2024-11-24.weekly@kpi>","content_hash":"v1","recipients":["ada@example.com","bob@example.com"],"files":0,"detail":"","refused":[]}',2,'00000000-0000-0000-0000-000000000002',NULL,'run-1',0,'2024-11-25 05:00:00.000000','2024-11-25 06:00:00.000000','2024-11-25 06:00:00.000000');
INSERT INTO "kpi_assets_deliveries" VALUES(2,'weekly','2024-11-18','2024-11-25','disk','e3b0c44298fc1c14','2024-11-24','static','publish','{}','[]','sent',NULL,'','v1','{"output":"disk","plugin":"static","effect":"publish","location":"/srv/weekly/index.html","content_hash":"v1","recipients":[],"files":3,"detail":"","refused":[]}',1,'00000000-0000-0000-0000-000000000003',NULL,'',0,'2024-11-25 05:00:00.000000','2024-11-25 05:00:00.000000','2024-11-25 05:00:00.000000');
INSERT INTO "kpi_assets_deliveries" VALUES(3,'weekly','2024-11-11','2024-11-18','board','f230af1018be71f3','2024-11-17','smtp','notify','{"b5fc85e55755f9e0": "ada@example.com", "5ff860bf1190596c": "bob@example.com"}','[]','unknown',NULL,'the line broke after the last byte','',NULL,1,'00000000-0000-0000-0000-000000000004',NULL,'run-0',0,'2024-11-18 05:00:00.000000','2024-11-18 05:00:00.000000',NULL);
CREATE TABLE kpi_assets_ledger (
	version INTEGER NOT NULL
);
INSERT INTO "kpi_assets_ledger" VALUES(1);
CREATE INDEX ix_kpi_assets_attempts_delivery ON kpi_assets_attempts (delivery);
COMMIT;
