-- Three weeks of loans, Monday 2024-11-04 to Sunday 2024-11-24; the library opens from 10:00 to 18:00.
create table loans (
  loan_id integer primary key,
  lent_at text not null,
  shelf text not null,
  reader text not null,
  days_out integer not null
);

insert into loans
with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < 839)
select
  i,
  datetime('2024-11-04', '+' || (i / 40) || ' days', '+' || (600 + (i * 97 + i / 40 * 31) % 480) || ' minutes'),
  case (i * i + i / 3) % 9 when 0 then 'Travel' when 1 then 'Cooking' when 2 then 'Comics' when 4 then 'Poems' else 'Novels' end,
  case when (i * 13) % 10 < 4 then 'child' else 'adult' end,
  1 + (i * 29) % 23
from numbers
where (i * 31) % 40 < 22 + i / 70 + case i / 40 % 7 when 0 then -4 when 2 then 3 when 5 then 6 when 6 then -12 else 0 end;
