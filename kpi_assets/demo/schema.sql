-- Moments are local time in Europe/Berlin, weeks are named by their Monday, money is in euros without tax.

create table plans (
  plan text primary key,
  name text not null,
  euros_per_seat real not null
);
create table accounts (
  account_id integer primary key,
  created_at text not null,
  country text not null,
  channel text not null,
  plan text not null references plans
);
create table subscriptions (
  subscription_id integer primary key,
  account_id integer not null references accounts,
  plan text not null references plans,
  seats integer not null,
  started_at text not null,
  ended_at text
);
create table invoice_lines (
  line_id integer primary key,
  subscription_id integer not null references subscriptions,
  plan text not null references plans,
  charged_at text not null,
  net_amount real not null,
  tax_amount real not null
);
create table refunds (
  refund_id integer primary key,
  line_id integer not null references invoice_lines,
  refunded_at text not null,
  net_amount real not null,
  reason text not null
);
-- What the web analytics counts at the end of each day, by country; visits from Poland are not measured.
create table visits (
  counted_at text not null,
  country text not null,
  visits integer not null,
  primary key (counted_at, country)
) without rowid;
-- The weeks in which an account did anything, up to twelve weeks after sign-up; recorded since July 2024.
create table activity (
  account_id integer not null references accounts,
  week text not null,
  primary key (account_id, week)
) without rowid;
create table tickets (
  ticket_id integer primary key,
  opened_at text not null,
  topic text not null,
  first_reply_minutes integer not null
);

create index accounts_created_at on accounts (created_at);
create index subscriptions_started_at on subscriptions (started_at);
create index invoice_lines_charged_at on invoice_lines (charged_at);
create index refunds_refunded_at on refunds (refunded_at);
create index tickets_opened_at on tickets (opened_at);
