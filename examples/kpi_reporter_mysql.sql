-- Three weeks of rides, Monday 2024-11-04 to Sunday 2024-11-24: 1,200 of them, a little more every day.
create database if not exists bicycles;
use bicycles;

create table rides (
  ride_id int primary key,
  started_at datetime not null,
  station varchar(40) not null,
  minutes int not null,
  member tinyint not null
);

insert into rides
select
  i,
  timestamp('2024-11-04 00:00:00') + interval (i * 30 - i * i div 250) minute,
  elt(1 + (i * i + i div 3) % 13 % 6, 'Harbour', 'Old market', 'Station', 'University', 'Zoo', 'Town hall'),
  6 + (i * 37) % 29 + (i * 11) % 13,
  (i * 17) % 10 < 6 + i div 700
from (
  select thousands.d * 1000 + hundreds.d * 100 + tens.d * 10 + ones.d as i
  from
    (select 0 as d union all select 1) as thousands,
    (select 0 as d union all select 1 union all select 2 union all select 3 union all select 4
      union all select 5 union all select 6 union all select 7 union all select 8 union all select 9) as hundreds,
    (select 0 as d union all select 1 union all select 2 union all select 3 union all select 4
      union all select 5 union all select 6 union all select 7 union all select 8 union all select 9) as tens,
    (select 0 as d union all select 1 union all select 2 union all select 3 union all select 4
      union all select 5 union all select 6 union all select 7 union all select 8 union all select 9) as ones
) as numbers
where i < 1200;
