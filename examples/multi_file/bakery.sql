-- Ten weeks of sales up to Sunday 2024-11-24. Runs in SQLite; the shop's server has the same table.
create table sales (
  sale_id integer primary key,
  sold_at timestamp not null,
  shop text not null,
  amount numeric(8, 2) not null
);

insert into sales
with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < 2099)
select
  i,
  datetime('2024-09-16', '+' || (i / 30) || ' days', '+' || (390 + (i * 53) % 700) || ' minutes'),
  case (i * i + i / 7) % 8 when 0 then 'Castle' when 1 then 'Castle' when 4 then 'Bridge' else 'Station' end,
  round(2.4 + (i * 37) % 90 / 10.0 + i / 1400.0, 2)
from numbers
where (i * 17) % 30 < 16 + i / 420 + case i / 30 % 7 when 4 then 3 when 5 then 7 when 6 then -9 else 0 end;
