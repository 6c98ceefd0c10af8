@echo off
rem The management console: install, run, sample data, backup, diagnostics, update, clean.
cd /d "%~dp0"
where py >nul 2>nul
if %errorlevel%==0 (
  py -3 manage.py %*
) else (
  python manage.py %*
)
set CODE=%errorlevel%
if "%~1"=="" pause
exit /b %CODE%
