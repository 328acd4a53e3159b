create database airflow;
create database mlflow;
