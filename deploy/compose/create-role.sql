-- Runs once, when the database is made: the service owns its database and is no superuser.
\set password `cat /run/secrets/database_password`
create role coffee_shop login password :'password' nosuperuser nocreatedb nocreaterole;
create database coffee_shop owner coffee_shop;
revoke connect on database coffee_shop from public;
